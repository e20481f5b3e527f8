"""The synthetic plan: ordinary claims, people whose claims break a rule or only look so, and the truth of both."""
