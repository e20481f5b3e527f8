-- title: What reviewers said last of each finding
-- grain: finding_id: a finding that was ever reviewed
--
-- A later import, and in it a later row, has the last word. It is on present evidence where the finding holds and rests on what it rested on
-- then.

select
    given_dispositions.*,
    determinations.finding_id is not null
    and finding_evidence.evidence_id = given_dispositions.evidence_id as is_on_present_evidence,
from given_dispositions
left join determinations on given_dispositions.finding_id = determinations.finding_id
left join finding_evidence on given_dispositions.finding_id = finding_evidence.finding_id
qualify row_number() over (
    partition by given_dispositions.finding_id
    order by given_dispositions.import_number desc, given_dispositions.row_number desc
) = 1
