-- title: Findings of this run against those of the run before
-- grain: finding_id
--
-- A finding is new, open or changed; one that was published and no longer holds is withdrawn: it keeps its last values, nothing is at risk any
-- more, and it is reported in this one run. The wording of a finding, the policy's version and the run are no change.

with earlier_findings as (
    select *
    from previous_findings
    where status <> 'withdrawn'
),

still_held as (
    select
        current_findings.*,
        case
            when earlier_findings.finding_id is null then 'new'
            when (
                row(
                    current_findings.policy_section, current_findings.determination, current_findings.scope, current_findings.doubts,
                    current_findings.member_id, current_findings.line_of_business, current_findings.payer, current_findings.plan,
                    current_findings.site, current_findings.procedure_codes, current_findings.prior_service_date,
                    current_findings.interval_days, current_findings.prior_count, current_findings.earliest_compliant_date,
                    current_findings.claim_lines, current_findings.prior_claim_ids, current_findings.billing_npi,
                    current_findings.rendering_npi, current_findings.facility_npi, current_findings.paid_amount,
                    current_findings.amount_at_risk, current_findings.is_upper_bound
                )
                is distinct from
                row(
                    earlier_findings.policy_section, earlier_findings.determination, earlier_findings.scope, earlier_findings.doubts,
                    earlier_findings.member_id, earlier_findings.line_of_business, earlier_findings.payer, earlier_findings.plan,
                    earlier_findings.site, earlier_findings.procedure_codes, earlier_findings.prior_service_date,
                    earlier_findings.interval_days, earlier_findings.prior_count, earlier_findings.earliest_compliant_date,
                    earlier_findings.claim_lines, earlier_findings.prior_claim_ids, earlier_findings.billing_npi,
                    earlier_findings.rendering_npi, earlier_findings.facility_npi, earlier_findings.paid_amount,
                    earlier_findings.amount_at_risk, earlier_findings.is_upper_bound
                )
            )
                then 'changed'
            else 'open'
        end as status,
        coalesce(earlier_findings.first_reported, $as_of) as first_reported,
    from current_findings
    left join earlier_findings on current_findings.finding_id = earlier_findings.finding_id
),

withdrawn as (
    select
        earlier_findings.* replace (
            'withdrawn' as status,
            0::decimal(14, 2) as amount_at_risk,
            list_transform(
                earlier_findings.claim_lines,
                lambda claim_line: struct_update(claim_line, amount_at_risk := 0::decimal(14, 2)) -- noqa: RF02
            ) as claim_lines
        ),
    from earlier_findings
    anti join current_findings on earlier_findings.finding_id = current_findings.finding_id
)

select * exclude (run_id) from withdrawn
union all by name
select * from still_held
