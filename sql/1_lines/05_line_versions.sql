-- title: The version that a claim line takes its values from
-- grain: claim_key, claim_line_number: a claim line
--
-- Voids, pending rows and denied adjustments take no part. The latest date of adjudication decides: without a reversal the line stands;
-- with reversals alone it is superseded; with both it stands where its other rows outnumber its reversals over all dates. It takes its values
-- from the last row that is no reversal, or, where there is none, from the last that there is.
--
-- row_id is the row whose values count.

with latest_dates as (
    select
        *,
        max(case when takes_part then paid_on_date end) over (partition by claim_key, claim_line_number) as latest_paid_on_date,
    from claim_rows
),

counted_lines as (
    select
        claim_key,
        claim_line_number,
        bool_or(has_family_code) as has_family_code,
        bool_or(takes_part) as has_part,
        bool_or(takes_part and is_reversal and paid_on_date = latest_paid_on_date) as is_reversed_last,
        bool_or(takes_part and not is_reversal and paid_on_date = latest_paid_on_date) as is_posted_last,
        count_if(takes_part and has_family_code and not is_reversal) as posting_count,
        count_if(takes_part and has_family_code and is_reversal) as reversal_count,
    from latest_dates
    group by claim_key, claim_line_number
),

value_rows as (
    select
        claim_key,
        claim_line_number,
        row_id,
    from claim_rows
    qualify row_number() over (
        partition by claim_key, claim_line_number
        order by takes_part desc, is_reversal asc, paid_on_date desc, filed_on_date desc, is_replacement desc, row_id desc
    ) = 1
)

select
    counted_lines.claim_key,
    counted_lines.claim_line_number,
    value_rows.row_id,
    counted_lines.has_family_code,
    counted_lines.has_part,
    counted_lines.has_part
    and (
        not counted_lines.is_reversed_last
        or (counted_lines.is_posted_last and counted_lines.posting_count > counted_lines.reversal_count)
    ) as is_standing,
from counted_lines
inner join value_rows
    on
        counted_lines.claim_key = value_rows.claim_key
        and counted_lines.claim_line_number = value_rows.claim_line_number
