"""The nouns everybody speaks in: amounts, calendar, events, account, lots, decision, knobs."""
