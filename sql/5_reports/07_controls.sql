-- title: Control totals
-- grain: no key: extract (content) that OUT holds or that this run refused; a name may come again with other content
-- column: extract: file name under which it was first loaded
-- column: outcome: held: published before; taken: new in this run; refused: not used, all counts 0; retracted: withdrawn, all counts 0
-- column: reason: why it was refused
-- column: rows_read: data records of the file, counted apart from the parser
-- column: rows_kept: rows that the audit looks at
-- column: rows_not_relevant: rows of claims without a code of some family, an adjustment or a reversal
-- column: rows_quarantined: refused rows, see OUT/quarantine
-- column: rows_duplicate: rows that repeat a kept row of the same extract
-- column: paid_read: US dollars of rows_read; an amount that cannot be read is 0
-- column: paid_kept: US dollars of rows_kept
-- column: paid_not_relevant: US dollars of rows_not_relevant
-- column: paid_quarantined: US dollars of rows_quarantined
-- column: paid_duplicate: US dollars of rows_duplicate

select
    extract,
    outcome,
    reason,
    rows_read,
    rows_kept,
    rows_not_relevant,
    rows_quarantined,
    rows_duplicate,
    paid_read,
    paid_kept,
    paid_not_relevant,
    paid_quarantined,
    paid_duplicate,
from extract_controls
order by extract, outcome, extract_sha256
