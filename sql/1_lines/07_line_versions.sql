-- title: The version that a claim line takes its values from
-- grain: claim_key, claim_line_number: a claim line
--
-- The latest version decides: without a reversal the line stands; with reversals alone it does not; with both it stands where its other rows
-- outnumber its reversals over all versions. It takes its values from the last row that is no reversal, or, where there is none, from the last
-- that there is. A line whose rows add up stands until it is backed out.
--
-- row_id is the row whose values count. is_version_unclear says that another row may have come after it: a reversal or a row that says
-- something else without an adjudication date, or such a row of the same version and file. added_paid_amount and added_allowed_amount are
-- what remains of a line whose rows add up, where the amounts of one row say nothing.

with value_rows as (
    select *
    from claim_rows
    qualify row_number() over (
        partition by claim_key, claim_line_number
        order by
            takes_part desc, takes_part and is_reversal asc, version_rank desc, file_date desc nulls last, is_replacement desc, row_id desc
    ) = 1
),

compared_rows as (
    select
        claim_rows.*,
        max(case when claim_rows.takes_part then claim_rows.version_rank end) over (
            partition by claim_rows.claim_key, claim_rows.claim_line_number
        ) as latest_version_rank,
        (
            claim_rows.status <> value_rows.status
            or claim_rows.hcpcs_code is distinct from value_rows.hcpcs_code
            or claim_rows.modifiers <> value_rows.modifiers
            or claim_rows.service_date <> value_rows.service_date
            or claim_rows.person_id <> value_rows.person_id
        ) as says_something_else,
        (
            claim_rows.version_rank = value_rows.version_rank
            and claim_rows.file_date is not distinct from value_rows.file_date
        ) as is_of_same_version,
        (claim_rows.claim_version is not distinct from value_rows.claim_version) as is_of_same_claim_version,
    from claim_rows
    inner join value_rows
        on claim_rows.claim_key = value_rows.claim_key and claim_rows.claim_line_number = value_rows.claim_line_number
),

counted_lines as (
    select
        claim_key,
        claim_line_number,
        bool_or(takes_part) as has_part,
        bool_or(takes_part and not is_reversal) as has_posting,
        bool_or(takes_part and is_reversal and version_rank = latest_version_rank) as is_reversed_last,
        bool_or(takes_part and not is_reversal and version_rank = latest_version_rank) as is_posted_last,
        count(*) filter (where takes_part and has_family_code and not is_reversal) as posting_count,
        count(*) filter (where takes_part and has_family_code and is_reversal) as reversal_count,
        bool_or(
            takes_part
            and (
                (
                    adjudication_date is null
                    and is_of_same_claim_version
                    and ((is_reversal and versioning is distinct from 'sum') or says_something_else)
                )
                or (says_something_else and not is_reversal and is_of_same_version)
            )
        ) as is_version_unclear,
    from compared_rows
    group by claim_key, claim_line_number
)

select
    counted_lines.claim_key,
    counted_lines.claim_line_number,
    value_rows.row_id,
    counted_lines.has_part,
    counted_lines.has_posting,
    counted_lines.has_posting
    and coalesce(
        not added_lines.is_backed_out,
        not counted_lines.is_reversed_last
        or (counted_lines.is_posted_last and counted_lines.posting_count > counted_lines.reversal_count)
    ) as is_standing,
    added_lines.paid_amount as added_paid_amount,
    added_lines.allowed_amount as added_allowed_amount,
    counted_lines.is_version_unclear,
from counted_lines
inner join value_rows
    on
        counted_lines.claim_key = value_rows.claim_key
        and counted_lines.claim_line_number = value_rows.claim_line_number
left join added_lines
    on
        counted_lines.claim_key = added_lines.claim_key
        and counted_lines.claim_line_number = added_lines.claim_line_number
