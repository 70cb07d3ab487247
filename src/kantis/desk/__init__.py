"""One verb, one transaction for a whole batch: the only room that knows both engine and store."""
