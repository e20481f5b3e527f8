-- title: Adjustments and reversals whose claim or line is not here, and what they may be about
-- grain: no key: an adjustment or a reversal, and a live line that it may be about; once without one where there is none
-- column: kind: orphan_adjustment (it acts on a claim of which nothing was ever delivered) or unmatched_reversal (its claim holds nothing but
--     reversals, and it takes back no line)
-- column: data_source: the system that numbered its claim
-- column: claim_id: its claim number
-- column: claim_line_number: its line
-- column: sought_claim_id: the claim number that it names
-- column: person_id: the person, as it says
-- column: service_date: date of service
-- column: hcpcs_code: procedure code
-- column: paid_date: when the payer decided
-- column: paid_amount: US dollars, as it says
-- column: near_claim_id: the claim of a live line that it may be about
-- column: near_claim_line_number: that line
-- column: near_data_source: the system that numbered that claim
-- column: near_paid_amount: US dollars of that line
-- column: near_by: why: service (same person, date and code), number (its claim number but for zeros, dashes or a suffix)
-- column: finding_ids: findings that cite that line

with citing_findings as (
    select
        line_key,
        list_sort(list_distinct(list(finding_id))) as finding_ids,
    from claimed_lines
    group by line_key
)

select
    unmatched_rows.kind,
    claim_rows.data_source,
    claim_rows.claim_id,
    claim_rows.claim_line_number,
    unmatched_rows.sought_claim_id,
    claim_rows.person_id,
    claim_rows.service_date,
    claim_rows.hcpcs_code,
    claim_rows.paid_date,
    claim_rows.paid_amount,
    line_statuses.claim_id as near_claim_id,
    line_statuses.claim_line_number as near_claim_line_number,
    line_statuses.data_source as near_data_source,
    line_statuses.paid_amount as near_paid_amount,
    coalesce(near_lines.near_by, []) as near_by,
    coalesce(citing_findings.finding_ids, []) as finding_ids,
from unmatched_rows
inner join claim_rows on unmatched_rows.row_id = claim_rows.row_id
left join near_lines on unmatched_rows.kind = near_lines.kind and unmatched_rows.row_id = near_lines.row_id
left join line_statuses on near_lines.line_key = line_statuses.line_key
left join citing_findings on near_lines.line_key = citing_findings.line_key
order by
    len(coalesce(citing_findings.finding_ids, [])) desc,
    unmatched_rows.kind, unmatched_rows.row_id, near_lines.line_key
