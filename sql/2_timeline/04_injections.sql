-- title: Injections, diagnostic or therapeutic
-- grain: person_id, service_date: a date with a live injection
-- column: person_id: the person
-- column: service_date: date of service
-- column: previous_date: the one before it; empty in the first
-- column: series_number: number of the series among those of the person, from 1
-- column: series_seq: number in its series, from 1
-- column: series_start_date: the first injection of the series
-- column: site: left, right, bilateral or unspecified, as far as it is certain
-- column: is_certain_left: every billing provider that names a side names the left
-- column: is_certain_right: every billing provider that names a side names the right
-- column: is_possible_left: a billing provider names the left, or no side is certain
-- column: is_possible_right: a billing provider names the right, or no side is certain
-- column: doubts: what claims leave open of it, sorted
-- column: is_marked_diagnostic: a line carries a modifier that marks it as diagnostic
-- column: line_count: its live lines
-- column: paid_amount: US dollars paid for them
-- column: claim_ids: its claims, sorted
-- column: is_applicable: the policy applies to a line
-- column: is_in_force: a line is not older than the policy
-- column: is_diagnostic: counts as diagnostic; else as therapeutic
-- column: may_be_diagnostic_left: nothing marks it so, but it may be one of those for diagnosis at the left
-- column: may_be_diagnostic_right: nothing marks it so, but it may be one of those for diagnosis at the right
-- column: is_sound: therapeutic and in no doubt
-- column: applicability: applies, precedence or not_in_force
-- column: interval_end_date: the first date that keeps the interval of the policy to it
-- column: count_end_date: the first date on which it is no longer counted
--
-- Diagnostic is what a modifier marks so while, at a side where it may be, fewer than $max_diagnostic_count earlier injections of its series
-- may be. Every other injection counts as therapeutic: the policy's presumption, which a provider rebuts with records. At a side where a
-- therapeutic injection surely is, and fewer than $max_diagnostic_count earlier ones of its series that are in no doubt surely are, it may
-- be one of those that the policy allows for diagnosis. Sound is what is therapeutic and in no doubt.

select
    person_id,
    service_date,
    previous_date,
    series_number,
    series_seq,
    series_start_date,
    site,
    is_certain_left,
    is_certain_right,
    is_possible_left,
    is_possible_right,
    doubts,
    is_marked_diagnostic,
    line_count,
    paid_amount,
    claim_ids,
    is_applicable,
    is_in_force,
    is_marked_diagnostic
    and (
        (is_possible_left and possible_left_count < $max_diagnostic_count)
        or (is_possible_right and possible_right_count < $max_diagnostic_count)
    ) as is_diagnostic,
    not is_diagnostic and is_certain_left and clean_left_count < $max_diagnostic_count as may_be_diagnostic_left,
    not is_diagnostic and is_certain_right and clean_right_count < $max_diagnostic_count as may_be_diagnostic_right,
    not is_diagnostic and doubts = [] as is_sound,
    case
        when not is_in_force then 'not_in_force'
        when is_applicable then 'applies'
        else 'precedence'
    end as applicability,
    (service_date + to_months($interval_months))::date as interval_end_date,
    (service_date + to_months($count_months))::date as count_end_date,
from injection_series
