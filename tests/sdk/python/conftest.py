"""Fixtures: the superadmin, a client of the demo tenant, and tenants made for one test."""

import pytest

from waule import DEMO_KEY, Admin, Tenant, client


@pytest.fixture(scope="session")
def admin():
    return Admin()


@pytest.fixture(scope="session")
def demo():
    with client(DEMO_KEY) as made:
        yield made


@pytest.fixture
def tenant(admin):
    return Tenant(admin, credits=100)


@pytest.fixture
def new_tenant(admin):
    def make(**given):
        return Tenant(admin, **given)

    return make
