"""Two clinics and the people of the contract's acceptance scenarios."""

from __future__ import annotations

from dataclasses import dataclass, field

from apps.organizations.models import Membership, Organization, User
from apps.profiles.models import Specialty
from restartix.kernel.tenancy import Actor, across_organizations, acting_for
from restartix.kernel.tokens import issue_development_token

SYSTEM = Actor.system("tests")
_organization_of_thing: dict[int, int] = {}


def organization_of_thing(thing_id: int) -> int | None:
    return _organization_of_thing.get(thing_id)


@dataclass
class World:
    south: Organization
    north: Organization
    people: dict[str, User] = field(default_factory=dict)

    def token(self, name: str) -> str:
        return issue_development_token(f"user_{name}")

    def thing(self, title: str = "Knee", slug: str = "knee", organization: Organization | None = None) -> Specialty:
        clinic = organization or self.south
        with acting_for(clinic.pk, actor=SYSTEM):
            thing = Specialty.objects.create(title=title, slug=slug)
        _organization_of_thing[thing.pk] = clinic.pk
        return thing

    def things(self, organization: Organization | None = None) -> list[Specialty]:
        with acting_for((organization or self.south).pk, actor=SYSTEM):
            return list(Specialty.objects.order_by("pk"))

    def join(self, name: str, clinic: Organization, role: str, **more: str) -> None:
        with acting_for(clinic.pk, actor=SYSTEM):
            Membership.objects.create(user=self.people[name], role=role, **more)

    def change(self, row: object, **values: object) -> None:
        with across_organizations(reason="test", actor=SYSTEM):
            for name, value in values.items():
                setattr(row, name, value)
            row.save()


def build() -> World:
    _organization_of_thing.clear()
    with across_organizations(reason="test", actor=SYSTEM):
        world = World(
            Organization.objects.create(name="Clinica Sud", slug="clinica-sud"),
            Organization.objects.create(name="Clinica Nord", slug="clinica-nord"),
        )
        for name in ("ion", "ana", "vera", "sara", "root", "nora"):
            world.people[name] = User.objects.create(
                email=f"{name}@example.org",
                name=name.title(),
                clerk_user_id=f"user_{name}",
                is_superadmin=name == "root",
            )
    for name, clinic, role in (
        ("ion", world.south, "admin"),
        ("ana", world.south, "patient"),
        ("sara", world.south, "specialist"),
        ("vera", world.south, "admin"),
        ("vera", world.north, "admin"),
    ):
        world.join(name, clinic, role)
    for name in ("ion", "ana", "sara", "vera"):
        world.change(world.people[name], current_organization=world.south)
    return world
