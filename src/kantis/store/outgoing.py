"""Outgoing: the tables of what is told to others, and of jobs.

What there is to tell stands in the entries themselves; a webhook remembers up to which of
them it has been told. A delivery is one message on its way to one webhook, an attempt one
call of it. A job is what has to be done some time, by whoever has its lease.
"""

from __future__ import annotations

from typing import Final

#: States of a webhook.
ACTIVE: Final = 0
PAUSED: Final = 1
DISABLED: Final = 2
HOOK_STATES: Final = ("active", "paused", "disabled")
#: States of a delivery.
WAITING: Final = 0
DELIVERED: Final = 1
DEAD: Final = 2
DELIVERY_STATES: Final = ("waiting", "delivered", "dead")
#: States of a job.
DUE: Final = 0
RUNNING: Final = 1
DONE: Final = 2
FAILED: Final = 3
JOB_STATES: Final = ("waiting", "running", "done", "failed")

TABLES: Final = f"""
CREATE TABLE webhook (
    number {{int}} PRIMARY KEY,
    id {{text}} NOT NULL UNIQUE,
    program {{int}} NOT NULL,
    name {{text}} NOT NULL,
    url {{text}} NOT NULL,
    types {{text}} NOT NULL,
    state {{bit}} NOT NULL CHECK (state BETWEEN 0 AND {len(HOOK_STATES) - 1}),
    reason {{text}} NOT NULL,
    secret {{bytes}} NOT NULL,
    former {{bytes}},
    former_until {{int}},
    entry_at {{int}} NOT NULL,
    flag_at {{int}} NOT NULL,
    version_at {{int}} NOT NULL,
    created {{int}} NOT NULL,
    failing {{int}}
){{end}};

CREATE TABLE delivery (
    n {{counted}} PRIMARY KEY,
    hook {{int}} NOT NULL,
    message {{text}} NOT NULL,
    type {{text}} NOT NULL,
    account {{int}} NOT NULL,
    made {{int}} NOT NULL,
    body {{bytes}} NOT NULL,
    state {{bit}} NOT NULL CHECK (state BETWEEN 0 AND {len(DELIVERY_STATES) - 1}),
    tries {{int}} NOT NULL,
    due {{int}} NOT NULL,
    UNIQUE (hook, message)
){{end}};
CREATE INDEX delivery_due ON delivery (hook, due) WHERE state = {WAITING};
CREATE INDEX delivery_order ON delivery (hook, account, n) WHERE state = {WAITING};
CREATE INDEX delivery_made ON delivery (made);

CREATE TABLE attempt (
    delivery {{int}} NOT NULL,
    at {{int}} NOT NULL,
    n {{int}} NOT NULL,
    ms {{int}} NOT NULL,
    status {{int}} NOT NULL,
    outcome {{text}} NOT NULL,
    answer {{text}} NOT NULL,
    PRIMARY KEY (delivery, n)
){{end}};

CREATE TABLE job (
    number {{counted}} PRIMARY KEY,
    kind {{text}} NOT NULL,
    plan {{text}} UNIQUE,
    about {{text}} NOT NULL,
    state {{bit}} NOT NULL CHECK (state BETWEEN 0 AND {len(JOB_STATES) - 1}),
    due {{int}} NOT NULL,
    every {{int}} NOT NULL,
    worker {{text}} NOT NULL,
    lease {{int}} NOT NULL,
    tries {{int}} NOT NULL,
    done {{int}} NOT NULL,
    total {{int}} NOT NULL,
    note {{text}} NOT NULL,
    began {{int}} NOT NULL,
    ended {{int}} NOT NULL
){{end}};
CREATE INDEX job_due ON job (due) WHERE state IN ({DUE}, {RUNNING});
"""
