"""The fake vendors for the tests of other languages' clients: makes a model of each and a tenant that may call them, tells
both in one line of JSON, and takes them away when its input ends. The last line is what the fakes refused."""

import json
import sys

from conftest import TWINS, VENDORS, WIDE, made_models, started_vendors
from waule import Admin, Tenant


def main():
    admin, vendors = Admin(), started_vendors()
    key = Tenant(admin, credits=1000, limits=WIDE).key
    with made_models(admin, vendors) as make:
        models = {dialect: make(dialect) for dialect in [*VENDORS, *TWINS]}
        print(json.dumps({"key": key, "models": models}), flush=True)
        sys.stdin.read()
    vendors.shutdown()
    print(json.dumps(vendors.refusals), flush=True)


main()
