"""The folded text of every message, on PostgreSQL; on SQLite the index of 0004 has it.

PostgreSQL cannot fold (playground/folding.py), so its triggers only note which messages are to be folded: those
whose row here has no text. playground/word_table.py folds them.
"""

from django.db import migrations

from playground.vendor_statements import VendorStatements

_MAKE = """
CREATE TABLE playground_words (
    message_id bigint PRIMARY KEY REFERENCES playground_message (id) ON DELETE CASCADE,
    folded text
);
CREATE INDEX playground_words_to_fold ON playground_words (message_id) WHERE folded IS NULL;
CREATE FUNCTION playground_words_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO playground_words (message_id) VALUES (new.id)
        ON CONFLICT (message_id) DO UPDATE SET folded = NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER playground_words_added AFTER INSERT ON playground_message
    FOR EACH ROW EXECUTE FUNCTION playground_words_note();
CREATE TRIGGER playground_words_changed AFTER UPDATE OF content, reasoning ON playground_message
    FOR EACH ROW WHEN (old.content IS DISTINCT FROM new.content OR old.reasoning IS DISTINCT FROM new.reasoning)
    EXECUTE FUNCTION playground_words_note();
INSERT INTO playground_words (message_id) SELECT id FROM playground_message;
"""
_DROP = """
DROP TRIGGER playground_words_changed ON playground_message;
DROP TRIGGER playground_words_added ON playground_message;
DROP FUNCTION playground_words_note();
DROP TABLE playground_words;
"""


class Migration(migrations.Migration):
    dependencies = [("playground", "0009_pictures")]
    operations = [VendorStatements("postgresql", _MAKE, _DROP)]
