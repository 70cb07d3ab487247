"""Keeps the books and knows no rule: tables, postings, programs, inbox, outbox, people."""
