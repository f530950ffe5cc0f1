"""An index of every three characters in a row, in any script, and each visitor's folders.

The index has the folded text (playground/folding.py) of questions, answers and reasoning, and no copy of it. The
triggers call a function that playground/apps.py gives to each connection of Django; another program can read the
tables, and needs that function to change messages.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from playground.vendor_statements import VendorStatements

_DROP_TRIGGERS = """
DROP TRIGGER playground_words_added;
DROP TRIGGER playground_words_gone;
DROP TRIGGER playground_words_changed;
"""
_DROP = f"{_DROP_TRIGGERS} DROP TABLE playground_words;"
_MAKE = """
CREATE VIRTUAL TABLE playground_words USING fts5(
    content, reasoning, content='', detail=none, tokenize='trigram case_sensitive 1'
);
CREATE TRIGGER playground_words_added AFTER INSERT ON playground_message BEGIN
    INSERT INTO playground_words(rowid, content, reasoning)
    VALUES (new.id, playground_fold(new.content), playground_fold(new.reasoning));
END;
CREATE TRIGGER playground_words_gone AFTER DELETE ON playground_message BEGIN
    INSERT INTO playground_words(playground_words, rowid, content, reasoning)
    VALUES ('delete', old.id, playground_fold(old.content), playground_fold(old.reasoning));
END;
CREATE TRIGGER playground_words_changed AFTER UPDATE OF content, reasoning ON playground_message
WHEN old.content IS NOT new.content OR old.reasoning IS NOT new.reasoning BEGIN
    INSERT INTO playground_words(playground_words, rowid, content, reasoning)
    VALUES ('delete', old.id, playground_fold(old.content), playground_fold(old.reasoning));
    INSERT INTO playground_words(rowid, content, reasoning)
    VALUES (new.id, playground_fold(new.content), playground_fold(new.reasoning));
END;
INSERT INTO playground_words(rowid, content, reasoning)
    SELECT id, playground_fold(content), playground_fold(reasoning) FROM playground_message;
"""
_MAKE_AS_BEFORE = """
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
INSERT INTO playground_words(playground_words) VALUES('rebuild');
"""


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("playground", "0003_message_verbs"),
    ]
    operations = [
        VendorStatements("sqlite", _DROP, _MAKE_AS_BEFORE),
        VendorStatements("sqlite", _MAKE, _DROP),
        migrations.CreateModel(
            name="Folder",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"ordering": ["name"]},
        ),
    ]
