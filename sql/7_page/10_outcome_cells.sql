-- title: What reviewers decided
-- grain: policy_id, rule_id, determination: those of which a finding was reviewed
--
-- A finding that was reviewed and is in this run no more has no person here. It then adds no member, so that less is shown, never more.

with reviewed_findings as (
    select
        dispositions.policy_id,
        dispositions.rule_id,
        dispositions.determination,
        case when dispositions.disposition = 'upheld' then findings.person_id end as person_upheld,
        case when dispositions.disposition = 'overturned' then findings.person_id end as person_overturned,
    from dispositions
    inner join findings on dispositions.finding_id = findings.finding_id
),

reviewed_persons as (
    select
        policy_id,
        rule_id,
        determination,
        list_sort(list_distinct(list(person_upheld))) as members_upheld,
        list_sort(list_distinct(list(person_overturned))) as members_overturned,
    from reviewed_findings
    group by policy_id, rule_id, determination
)

select
    review_outcomes.policy_id,
    review_outcomes.rule_id,
    rules.title,
    review_outcomes.determination,
    review_outcomes.reviewed,
    review_outcomes.upheld,
    review_outcomes.overturned,
    review_outcomes.recovered_amount,
    coalesce(reviewed_persons.members_upheld, []) as members_upheld,
    coalesce(reviewed_persons.members_overturned, []) as members_overturned,
from review_outcomes
inner join rules on review_outcomes.policy_id = rules.policy_id and review_outcomes.rule_id = rules.rule_id
left join reviewed_persons
    on
        review_outcomes.policy_id = reviewed_persons.policy_id
        and review_outcomes.rule_id = reviewed_persons.rule_id
        and review_outcomes.determination = reviewed_persons.determination
where review_outcomes.reviewed > 0
order by review_outcomes.policy_id, review_outcomes.rule_id, review_outcomes.determination desc
