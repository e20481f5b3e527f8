-- title: Review states
-- grain: finding_id: a finding of the report findings
-- column: finding_id: the finding
-- column: evidence_id: what it rests on, as one value: a review holds as long as this stays
-- column: disposition: upheld or overturned, where it was reviewed on this evidence
-- column: earlier_disposition: upheld or overturned, where it was last reviewed on other evidence
-- column: held_back_for: suppressed or overturned: why it is not handed to payment integrity; empty where it is
-- column: suppression_reason: who else has it, where it is suppressed
-- column: suppressed_until: the last day of that; empty where it has no end

select
    compared_findings.finding_id,
    finding_evidence.evidence_id,
    case when dispositions.is_on_present_evidence then dispositions.disposition end as disposition,
    case when not dispositions.is_on_present_evidence then dispositions.disposition end as earlier_disposition,
    case
        when suppressed_findings.finding_id is not null then 'suppressed'
        when dispositions.is_on_present_evidence and dispositions.disposition = 'overturned' then 'overturned'
    end as held_back_for,
    suppressed_findings.suppression_reason,
    suppressed_findings.suppressed_until,
from compared_findings
inner join finding_evidence on compared_findings.finding_id = finding_evidence.finding_id
left join dispositions on compared_findings.finding_id = dispositions.finding_id
left join suppressed_findings on compared_findings.finding_id = suppressed_findings.finding_id
order by compared_findings.finding_id
