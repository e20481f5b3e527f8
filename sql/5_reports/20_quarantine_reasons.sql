-- title: Why rows were quarantined
-- grain: no key: extract (content), reason and column; of extracts that OUT holds, and of those refused for such rows
-- column: extract: file name under which it was first loaded
-- column: outcome: held: published before; taken: new in this run; refused: none of its rows is used
-- column: reason: the first reason that applies to the rows
-- column: meaning: what the reason says
-- column: what_to_do: what whoever makes the extract must do about it
-- column: column: the column at fault; empty where a whole row is
-- column: row_count: rows of that reason with that column at fault; a row with several counts at each
-- column: first_row_numbers: the first of them, as the file has them, from 1
-- column: forms: how the cells are written, the most frequent first (9: a digit, A: a letter, all else as it is); or what whole rows are like
-- column: date_form: the form in which the column's dates are read
-- column: note: what else is to be known; with is_warning, that rows which were read may be wrong
-- column: is_warning: whether rows that were read may be wrong, too

select
    extract,
    outcome,
    reason,
    meaning,
    what_to_do,
    "column",
    row_count,
    first_row_numbers,
    forms,
    date_form,
    note,
    is_warning,
from extract_faults
order by extract, extract_sha256, fault_order
