-- title: Columns of the extracts
-- grain: no key: column, canonical or ignored, of an extract (content) that OUT holds; a name may come again with other content
-- column: extract: file name under which it was first loaded
-- column: column: name of the column
-- column: is_canonical: whether the audit knows the column
-- column: is_present: whether the extract has it
-- column: filled_count: rows that parse in which it is filled

select
    extract,
    "column",
    is_canonical,
    is_present,
    filled_count,
from extract_columns
order by extract, extract_sha256, is_canonical desc, column_order
