-- title: This run
-- grain: one row
-- column: run_id: the run
-- column: as_of: services up to this date were audited
-- column: previous_run_id: the run that findings were compared with; empty in the first
-- column: version: the program's
-- column: line_of_business: the setting that is used where a claim line has no line of business; empty where it is not set
-- column: orphan_adjustments: adjustments of claims of which nothing was ever delivered
-- column: adjustments_across_persons: adjustments of a claim of another person
-- column: unmatched_reversals: reversals under a claim number of their own that found no line
-- column: lines_after_as_of: lines after the as-of date, which later runs audit

select
    $run_id::varchar as run_id,
    $as_of::date as as_of,
    $previous_run_id::varchar as previous_run_id,
    $version::varchar as version,
    $line_of_business::varchar as line_of_business,
    orphan_adjustments,
    adjustments_across_persons,
    unmatched_reversals,
    lines_after_as_of,
from totals
