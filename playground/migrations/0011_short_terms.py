"""The index of three characters in a row finds shorter terms, too.

Each place where a term of one or two characters stands begins three characters of the index, since two blanks
follow every text in it. The table `playground_trigrams` lists what the index has.
"""

from django.db import migrations

from playground.vendor_statements import VendorStatements

_DROP_TRIGGERS = """
DROP TRIGGER playground_words_added;
DROP TRIGGER playground_words_gone;
DROP TRIGGER playground_words_changed;
DROP TABLE playground_words;
"""
_INDEX = """
CREATE VIRTUAL TABLE playground_words USING fts5(
    content, reasoning, content='', detail=none, tokenize='trigram case_sensitive 1'
);
CREATE TRIGGER playground_words_added AFTER INSERT ON playground_message BEGIN
    INSERT INTO playground_words(rowid, content, reasoning)
    VALUES (new.id, playground_fold(new.content){end}, playground_fold(new.reasoning){end});
END;
CREATE TRIGGER playground_words_gone AFTER DELETE ON playground_message BEGIN
    INSERT INTO playground_words(playground_words, rowid, content, reasoning)
    VALUES ('delete', old.id, playground_fold(old.content){end}, playground_fold(old.reasoning){end});
END;
CREATE TRIGGER playground_words_changed AFTER UPDATE OF content, reasoning ON playground_message
WHEN old.content IS NOT new.content OR old.reasoning IS NOT new.reasoning BEGIN
    INSERT INTO playground_words(playground_words, rowid, content, reasoning)
    VALUES ('delete', old.id, playground_fold(old.content){end}, playground_fold(old.reasoning){end});
    INSERT INTO playground_words(rowid, content, reasoning)
    VALUES (new.id, playground_fold(new.content){end}, playground_fold(new.reasoning){end});
END;
INSERT INTO playground_words(rowid, content, reasoning)
    SELECT id, playground_fold(content){end}, playground_fold(reasoning){end} FROM playground_message;
"""
_MAKE = _DROP_TRIGGERS + _INDEX.format(end=" || '  '")
_MAKE_AS_BEFORE = _DROP_TRIGGERS + _INDEX.format(end="")
_LIST = "CREATE VIRTUAL TABLE playground_trigrams USING fts5vocab('playground_words', 'row');"


class Migration(migrations.Migration):
    dependencies = [("playground", "0010_search_on_postgresql")]
    operations = [
        VendorStatements("sqlite", _MAKE, _MAKE_AS_BEFORE),
        VendorStatements("sqlite", _LIST, "DROP TABLE playground_trigrams;"),
    ]
