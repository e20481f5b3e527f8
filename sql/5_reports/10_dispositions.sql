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

select
    finding_id,
    policy_id,
    rule_id,
    determination,
    disposition,
    recovered_amount,
    reviewer,
    note,
    run_id as reviewed_run_id,
    imported_on,
    evidence_id,
    is_on_present_evidence,
from latest_dispositions
order by finding_id
