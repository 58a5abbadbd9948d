"""The words of an owner's custom fields, for the indexes that search uses.

Only values count, not keys. Signs that hold parts of a code, an address or a number
together become blanks, so that each part is a word.
"""

from django.db import migrations

WORDS = r"""
CREATE FUNCTION customfields_words(custom_fields jsonb) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN to_tsvector(
    'simple'::regconfig,
    translate(
        replace(jsonb_path_query_array(custom_fields, '$.*')::text, '\n', ' '),
        '-_.,:;/\@+*#&=?!%~|<>()[]{}''"$',
        '                               '
    )
);
"""

UNDO = "DROP FUNCTION customfields_words(jsonb);"


class Migration(migrations.Migration):
    dependencies = [("customfields", "0002_key_stays")]

    operations = [migrations.RunSQL(WORDS, UNDO)]
