"""The nouns everybody speaks in: amounts, calendar, events, account, lots, places, decision, conditions, knobs."""
