"""An index of every word, kept up to date by the database itself; PostgreSQL's is of 0010."""

from django.db import migrations

from playground.vendor_statements import VendorStatements

_MAKE = """
CREATE VIRTUAL TABLE playground_words USING fts5(
    content, content='playground_message', content_rowid='id', tokenize='unicode61 remove_diacritics 2'
);
CREATE TRIGGER playground_words_added AFTER INSERT ON playground_message BEGIN
    INSERT INTO playground_words(rowid, content) VALUES (new.id, new.content);
END;
CREATE TRIGGER playground_words_gone AFTER DELETE ON playground_message BEGIN
    INSERT INTO playground_words(playground_words, rowid, content) VALUES ('delete', old.id, old.content);
END;
CREATE TRIGGER playground_words_changed AFTER UPDATE OF content ON playground_message BEGIN
    INSERT INTO playground_words(playground_words, rowid, content) VALUES ('delete', old.id, old.content);
    INSERT INTO playground_words(rowid, content) VALUES (new.id, new.content);
END;
"""
_DROP = """
DROP TRIGGER playground_words_added;
DROP TRIGGER playground_words_gone;
DROP TRIGGER playground_words_changed;
DROP TABLE playground_words;
"""


class Migration(migrations.Migration):
    dependencies = [("playground", "0001_conversations")]
    operations = [VendorStatements("sqlite", _MAKE, _DROP)]
