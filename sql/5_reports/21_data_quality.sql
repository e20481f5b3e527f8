-- title: Data quality: what each check counted, and what it means for findings
-- grain: no key: check and column of an extract (content) that OUT holds, or of all extracts together; a name may come again
-- column: extract: file name under which it was first loaded; empty where the check looks at the lines of all extracts together
-- column: check_id: the check; sql/0_reference/quality_checks.csv has them all, with their limits
-- column: column: the column that it looks at
-- column: counted: what row_count and found_count are numbers of
-- column: row_count: how many were looked at; of the ids and codes of a large extract a sample, where that shows nothing odd
-- column: found_count: how many of them are as meaning says
-- column: forms: the most frequent forms of what was found, where cells are odd: 9 for a digit, A for a letter, all else as it is
-- column: least_row_count: the check gives a notice from so many looked at
-- column: least_found_count: and so many found
-- column: least_share: and from this share of those looked at
-- column: is_noticed: whether it gives a notice
-- column: is_new: whether the run before had no such notice
-- column: meaning: what was found
-- column: effect: what it does to findings
-- column: remedy: what to do about it

with measures as (
    select
        extract,
        extract_sha256,
        check_id,
        "column",
        row_count,
        found_count,
        forms,
    from extract_quality
    union all
    select
        null as extract,
        null as extract_sha256,
        check_id,
        "column",
        row_count,
        found_count,
        [] as forms,
    from line_measures
),

held_measures as (
    select
        measures.*,
        quality_checks.* exclude (check_id), -- noqa: RF02
        measures.row_count >= quality_checks.least_row_count
        and measures.found_count >= quality_checks.least_found_count
        and measures.found_count >= quality_checks.least_share * measures.row_count as is_noticed,
    from measures
    inner join quality_checks on measures.check_id = quality_checks.check_id
),

notices_before as (
    select distinct
        previous_data_quality.extract,
        previous_data_quality.check_id,
        previous_data_quality.column,
    from previous_data_quality
    where previous_data_quality.is_noticed
)

select
    held_measures.extract,
    held_measures.check_id,
    held_measures.column,
    held_measures.counted,
    held_measures.row_count,
    held_measures.found_count,
    held_measures.forms,
    held_measures.least_row_count,
    held_measures.least_found_count,
    held_measures.least_share,
    held_measures.is_noticed,
    held_measures.is_noticed and notices_before.check_id is null as is_new,
    held_measures.meaning,
    held_measures.effect,
    held_measures.remedy,
from held_measures
left join notices_before
    on
        held_measures.check_id = notices_before.check_id
        and held_measures.column = notices_before.column
        and held_measures.extract is not distinct from notices_before.extract
order by held_measures.extract nulls first, held_measures.extract_sha256, held_measures.check_order, held_measures.column
