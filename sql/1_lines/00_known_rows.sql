-- title: Kept rows, and what each is: an adjustment, a reversal, or neither
-- grain: no key: kept row
-- kind: view
--
-- The one place that says what stands in for an empty status, claim frequency code, original reference number, person or date, and which rows
-- take part in working out a claim line: not voids, not pending rows, not denied adjustments. Denied and pending adjustments do not act
-- either; otherwise it does not matter what becomes of an adjustment.
--
-- claim_version orders the versions of a whole claim where its feed has such: the last digits of its number, without which it is the claim, or
-- the day of the delivery that restates it. Where rows add up, a replacement of its own claim is one row more, and replaces nothing.

with measured_rows as (
    select
        *,
        try_cast(split_part(versioning, 'version_suffix:', 2) as integer) as suffix_length,
    from kept_lines
),

numbered_rows as (
    select
        * exclude (suffix_length) replace (
            case
                when regexp_full_match(right(claim_id, suffix_length), '[0-9]+') and length(claim_id) > suffix_length
                    then left(claim_id, length(claim_id) - suffix_length)
                else claim_id
            end as claim_id,
            case
                when regexp_full_match(right(replaced_claim_id, suffix_length), '[0-9]+') and length(replaced_claim_id) > suffix_length
                    then left(replaced_claim_id, length(replaced_claim_id) - suffix_length)
                else replaced_claim_id
            end as replaced_claim_id
        ),
        case
            when regexp_full_match(right(claim_id, suffix_length), '[0-9]+') and length(claim_id) > suffix_length
                then right(claim_id, suffix_length)::bigint
            when versioning = 'snapshot' then file_date - date '1970-01-01'
        end as claim_version,
    from measured_rows
),

defaulted_rows as (
    select
        *,
        coalesce(claim_status, 'paid') as status,
        coalesce(claim_frequency_code, case when lower(claim_type) = 'institutional' then right(bill_type_code, 1) end) as frequency_code,
        coalesce(replaced_claim_id, claim_id) as acts_on_claim_id,
        coalesce(person_id, concat_ws('|', data_source, payer, member_id)) as known_person_id,
        coalesce(paid_date, date '0001-01-01') as paid_on_date,
    from numbered_rows
)

select
    * exclude (frequency_code),
    coalesce(frequency_code = '7', false) as is_replacement,
    coalesce(frequency_code = '8', false) as is_void,
    (is_replacement or is_void)
    and status not in ('denied', 'pending')
    and not coalesce(versioning = 'sum' and is_replacement and acts_on_claim_id = claim_id, false) as is_acting_adjustment,
    not is_void and status <> 'pending' and not (is_replacement and status = 'denied') as takes_part,
    status = 'reversed'
    or coalesce(service_unit_quantity < 0, false)
    or coalesce(paid_amount < 0, false)
    or coalesce(charge_amount < 0, false) as is_reversal,
from defaulted_rows
