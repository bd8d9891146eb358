"""Settings of the suite's run over HTTP (SIEBEL_TRANSPORT=rest make test): the CRM's rows lie in a database of their
own, which siebelserver serves; what fixtures write there and tests look up there goes through `tests.crm.Router`.
"""

from config.settings import *  # noqa: F403
from config.settings import DATABASES, VAR_DIR

_own = DATABASES["default"]
if _own["ENGINE"].endswith("sqlite3"):
    DATABASES["crm"] = {**_own, "NAME": str(VAR_DIR / "crm.sqlite3"), "TEST": {"NAME": str(VAR_DIR / "crm.sqlite3")}}
else:
    DATABASES["crm"] = {**_own, "TEST": {"NAME": f"test_crm_{_own['NAME']}"}}
DATABASE_ROUTERS = ["tests.crm.Router"]
