-- title: Dispositions
-- grain: finding_id: a finding that was ever reviewed, with what was said last
-- column: finding_id: the finding
-- column: policy_id: its policy
-- column: rule_id: its rule
-- column: determination: violation or review, when it was reviewed
-- column: disposition: upheld or overturned
-- column: recovered_amount: US dollars that came back
-- column: reviewer: who reviewed it
-- column: note: what the reviewer noted
-- column: reviewed_run_id: the run whose finding was reviewed
-- column: imported_on: the day on which it was imported (UTC)
-- column: evidence_id: what the finding rested on when it was reviewed
-- column: is_on_present_evidence: whether the finding holds and rests on the same evidence today

with numbered_dispositions as (
    select
        given_dispositions.*,
        row_number() over latest_first as recency,
    from given_dispositions
    window latest_first as (partition by finding_id order by import_number desc, row_number desc)
)

select
    numbered_dispositions.finding_id,
    numbered_dispositions.policy_id,
    numbered_dispositions.rule_id,
    numbered_dispositions.determination,
    numbered_dispositions.disposition,
    numbered_dispositions.recovered_amount,
    numbered_dispositions.reviewer,
    numbered_dispositions.note,
    numbered_dispositions.run_id as reviewed_run_id,
    numbered_dispositions.imported_on,
    numbered_dispositions.evidence_id,
    compared_findings.finding_id is not null as is_on_present_evidence,
from numbered_dispositions
left join finding_evidence
    on
        numbered_dispositions.finding_id = finding_evidence.finding_id
        and numbered_dispositions.evidence_id = finding_evidence.evidence_id
left join compared_findings on finding_evidence.finding_id = compared_findings.finding_id and compared_findings.status <> 'withdrawn'
where numbered_dispositions.recency = 1
order by numbered_dispositions.finding_id
