-- title: What is odd about claim lines of all extracts together
-- grain: check_id: a quality check that looks beyond one extract
--
-- Lines of claims that have a family's code. What a check looks at, and what it finds, is in quality_checks.
--
-- Versions disagree where two rows of a claim line that are neither adjustments nor reversals name different persons, by person_id and by
-- member number both, or different dates of service: a correction says that it is one.

with audited_lines as (
    select
        (count(distinct person_id) > 1 and count(distinct member_id) > 1) or count(distinct service_date) > 1 as is_odd,
    from claim_rows
    where takes_part and not is_reversal and not is_replacement
    group by claim_key, claim_line_number
    having bool_or(has_family_code)
),

member_numbers as (
    select
        payer,
        member_id,
        count(person_id) between 1 and count(*) - 1 as has_mixed_persons,
        min(known_person_id) as first_person_id,
    from distinct_rows
    group by payer, member_id
),

unpadded_numbers as (
    select min(first_person_id) over same_number <> max(first_person_id) over same_number as is_odd
    from member_numbers
    where regexp_full_match(member_id, '[0-9]+')
    window same_number as (partition by payer, ltrim(member_id, '0'))
),

person_rows as (
    select
        count(*) as row_count,
        count(distinct member_id) > (
            select quality_checks.value_limit from quality_checks where quality_checks.check_id = 'person_over_members'
        ) as is_odd,
    from distinct_rows
    where person_id is not null
    group by person_id
),

services as (
    select count(distinct claim_key) > 1 as is_odd
    from live_lines
    group by person_id, service_date, hcpcs_code, modifiers, billing_npi, claim_type
)

select
    'disagreeing_versions' as check_id,
    'claim_id' as "column",
    count(*) as row_count,
    count(*) filter (where is_odd) as found_count,
from audited_lines
union all
select
    'member_without_person' as check_id,
    'person_id' as "column",
    count(*) as row_count,
    count(*) filter (where has_mixed_persons) as found_count,
from member_numbers
union all
select
    'member_zeros_lost' as check_id,
    'member_id' as "column",
    count(*) as row_count,
    count(*) filter (where is_odd) as found_count,
from unpadded_numbers
union all
select
    'person_over_members' as check_id,
    'person_id' as "column",
    coalesce(sum(row_count), 0)::bigint as row_count,
    coalesce(sum(case when is_odd then row_count end), 0)::bigint as found_count,
from person_rows
union all
select
    'service_on_several_claims' as check_id,
    'claim_id' as "column",
    count(*) as row_count,
    count(*) filter (where is_odd) as found_count,
from services
