-- title: Lines that reverse a line of another claim
-- grain: row_id: a line with a family's code of a claim that holds nothing but reversals of such codes
--
-- Reversals and standing lines that agree in source, person, date, code, modifiers, billing provider and amount are paired by rank, reversals
-- and lines each in the order of payment; reversals paid before the first of the lines are left out, since what they reversed is not here.
--
-- reversed_row_id is the line that a reversal supersedes, empty where it supersedes none.

with reversing_claims as (
    select claim_key
    from claim_rows
    where has_family_code and takes_part
    group by claim_key
    having bool_and(is_reversal)
),

reversal_rows as (
    select
        claim_rows.*,
        true as is_reversing,
    from claim_rows
    semi join reversing_claims on claim_rows.claim_key = reversing_claims.claim_key
    where claim_rows.has_family_code and claim_rows.takes_part
    qualify row_number() over (
        partition by claim_rows.claim_key, claim_rows.claim_line_number
        order by
            claim_rows.version_rank desc, claim_rows.file_date desc nulls last, claim_rows.is_replacement desc, claim_rows.row_id desc
    ) = 1
),

standing_rows as (
    select
        claim_rows.* replace (coalesce(line_versions.added_paid_amount, claim_rows.paid_amount) as paid_amount),
        false as is_reversing,
    from claim_rows
    inner join line_versions on claim_rows.row_id = line_versions.row_id
    where line_versions.is_standing and claim_rows.has_family_code
),

matchable_rows as (
    select * from reversal_rows
    union all by name
    select * from standing_rows
),

matched_rows as (
    select
        row_id,
        is_reversing,
        paid_on_date,
        claim_id,
        claim_line_number,
        {
            'data_source': data_source,
            'person_id': person_id,
            'service_date': service_date,
            'hcpcs_code': hcpcs_code,
            'modifiers': modifiers,
            'billing_npi': billing_npi,
            'paid_amount': abs(paid_amount)
        } as match_key,
    from matchable_rows
),

dated_rows as (
    select
        *,
        min(case when not is_reversing then paid_on_date end) over (partition by match_key) as first_paid_on_date,
    from matched_rows
),

ranked_rows as (
    select
        *,
        row_number() over (partition by match_key, is_reversing order by paid_on_date, claim_id, claim_line_number) as match_rank,
    from dated_rows
    where paid_on_date >= first_paid_on_date
),

pairs as (
    select
        reversals.row_id,
        originals.row_id as reversed_row_id,
    from ranked_rows as reversals
    inner join ranked_rows as originals
        on
            reversals.match_key = originals.match_key
            and reversals.match_rank = originals.match_rank
            and originals.paid_on_date <= reversals.paid_on_date
    where reversals.is_reversing and not originals.is_reversing
)

select
    reversal_rows.row_id,
    pairs.reversed_row_id,
from reversal_rows
left join pairs on reversal_rows.row_id = pairs.row_id
