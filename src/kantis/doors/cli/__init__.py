"""The command line: ``kantis`` and its commands.

Each command prints for people, or JSON with ``--json``; its exit code is one that scripts
can use (see ``output``). Bad input is answered with one clear paragraph, never with a
traceback.
"""

from __future__ import annotations

import gc
import sys
from typing import Final

import typer

from kantis.doors.cli import (
    accounts,
    books,
    demo,
    files,
    fitting,
    flags,
    freezing,
    importing,
    keys,
    measuring,
    members,
    operating,
    people,
    replaying,
    serving,
    settling,
    shops,
    working,
)
from kantis.doors.cli.output import Trouble, trouble_out

app = typer.Typer(
    name="kantis",
    help="A loyalty program that is a document, and books that can be proved.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

app.command("demo")(demo.demo)
app.command("new")(fitting.new)
app.command("fit")(fitting.fit)
app.command("programs")(files.programs)
app.command("check")(files.check)
app.command("format")(files.format_files)
app.command("schema")(files.schema)
app.command("try")(files.try_cases)
app.command("publish")(books.publish)
app.command("cancel")(books.cancel)
app.command("freeze")(freezing.freeze)
app.command("unfreeze")(freezing.unfreeze)
app.command("flags")(flags.flags)
app.command("versions")(books.versions)
app.command("import")(importing.import_file)
app.command("account")(accounts.account)
app.command("explain")(accounts.explain)
app.command("replay")(replaying.replay)
app.command("settlement")(settling.settlement)
app.command("report")(measuring.report)
app.command("verify")(books.verify)
app.command("serve")(serving.serve)
app.command("worker")(working.worker)
app.command("jobs")(working.list_jobs)
app.add_typer(keys.app, name="key")
app.add_typer(people.app, name="people")
app.add_typer(members.app, name="member")
app.add_typer(members.vault_app, name="vault")
app.add_typer(shops.app, name="shop")
app.command("backup")(operating.backup)
app.command("restore")(operating.restore)
app.command("move")(operating.move)
app.command("migrate")(operating.migrate)
app.command("doctor")(operating.doctor)


#: Records that come to be, less those that go, before cycles are looked for. A batch makes tens
#: of thousands of records and no cycle, and most are gone after it.
RECORDS_MAX: Final = 200_000


def main() -> None:
    """Run the command that the arguments name."""
    gc.set_threshold(RECORDS_MAX)
    try:
        app()
    except Trouble as trouble:
        trouble_out(trouble, "--json" in sys.argv)
        sys.exit(trouble.status)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
