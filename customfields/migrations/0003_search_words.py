r"""The words of an owner's custom fields, for the indexes and searches that use them.

Only values count, not keys. What stands between words is told by its code points, so
that every server does it alike, whatever its locale: all ASCII and Latin-1 but letters
and digits, punctuation, currencies, arrows, mathematical signs and pictographs. No word
has more than 255 characters: an index takes no longer ones.
"""

from django.db import migrations

SPLIT = r"""
CREATE FUNCTION customfields_split(value text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN array_remove(
    regexp_split_to_array(
        lower(
            CASE
                WHEN length(value) > 255
                THEN regexp_replace(value, '(\S{255})', '\1 ', 'g')
                ELSE value
            END
        ),
        '[\u0001-/:-@\[-`{-\u00bf\u00d7\u00f7\u2000-\u206f\u20a0-\u20cf'
        '\u2100-\u2bff\u3000-\u303f\U0001f000-\U0001faff]+'
    ),
    ''
);
"""

WORDS = r"""
CREATE FUNCTION customfields_words(custom_fields jsonb) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN array_to_tsvector(
    customfields_split(
        replace(jsonb_path_query_array(custom_fields, '$.*')::text, '\n', ' ')
    )
);
"""

BEGINNINGS = """
CREATE FUNCTION customfields_beginnings(typed text) RETURNS tsquery
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    SELECT string_agg(quote_literal(word) || ':*', ' & ')::tsquery
    FROM unnest(customfields_split(typed)) AS word
);
"""

UNDO = """
DROP FUNCTION customfields_beginnings(text);
DROP FUNCTION customfields_words(jsonb);
DROP FUNCTION customfields_split(text);
"""


class Migration(migrations.Migration):
    dependencies = [("customfields", "0002_key_stays")]

    operations = [migrations.RunSQL(SPLIT + WORDS + BEGINNINGS, UNDO)]
