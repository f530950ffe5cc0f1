"""The admin's page of usage and its CSV."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from inference.models import PoolEvent, ServedModel
from tests.accounts.making import make_key
from tests.models.test_usage_hour import an_hour
from tests.people import client_of

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = reverse("admin:inference_usagehour_changelist")
CSV = reverse("admin:inference_usagehour_csv")


def shown(client: Client, **query: str) -> str:
    response = client.get(PAGE, query)
    assert response.status_code == 200
    return str(response.content.decode())


def test_it_shows_a_picture_and_the_same_numbers_as_a_table(staff: Client) -> None:
    an_hour(model="org/one", requests=1200, prompt_tokens=5, cached_tokens=2, completion_tokens=7).save()
    page = shown(staff, range="24h")
    assert "<rect data-series" in page and "At most 1,200" in page
    row = page.split('scope="row" data-series="0">org/one</th>')[1].split("</tr>")[0]
    assert re.findall(r'<td data-label="[^"]+">(.*?)</td>', row) == ["1,200", "5", "2", "7", "0"]


def test_a_row_links_to_the_model_its_requests_and_its_decisions(staff: Client) -> None:
    model = ServedModel.objects.create(name="org/one")
    PoolEvent.objects.create(kind="evicted", model="org/one", text="evicted", at=an_hour().hour)
    an_hour(model="org/one").save()
    page = shown(staff)
    assert reverse("admin:inference_servedmodel_change", args=[model.pk]) in page
    events = f"{reverse('admin:inference_poolevent_changelist')}?model=org%2Fone"
    assert events in page
    assert "evicted" in staff.get(events).content.decode().lower()


def test_rows_by_key_and_by_user_link_to_them(staff: Client) -> None:
    key, _ = make_key()
    an_hour(caller_kind="key", key_prefix=key.prefix, account="ann").save()
    assert reverse("admin:inference_apikey_change", args=[key.pk]) in shown(staff, by="key")
    assert reverse("admin:auth_user_change", args=[key.owner.pk]) in shown(staff, by="user")


def test_nothing_was_used_and_unknown_choices_are_the_defaults(staff: Client) -> None:
    page = shown(staff, range="1y", by="colour", show="__class__")
    assert "No requests in this period." in page
    assert page.count('aria-current="true"') == 3


def test_times_are_those_of_the_browsers_zone(staff: Client) -> None:
    an_hour().save()
    assert "Times are in UTC" in shown(staff)
    staff.cookies["mlxsite_zone"] = "Asia%2FKolkata"
    page = shown(staff, range="24h")
    assert "Times are in Asia/Kolkata" in page and ":30 IST</th>" in page and ":30</span>" in page
    staff.cookies["mlxsite_zone"] = "../../etc"
    assert "Times are in UTC" in shown(staff)


def test_the_csv_has_every_period_and_no_formula(staff: Client) -> None:
    an_hour(model="=cmd()", requests=3).save()
    response = staff.get(CSV, {"range": "24h", "by": "model"})
    assert response["Content-Disposition"] == 'attachment; filename="usage-model-24h.csv"'
    assert response.content.decode().splitlines()[1].endswith("+00:00,'=cmd(),3,0,0,0,0")


@pytest.mark.parametrize("address", [PAGE, CSV])
def test_whoever_may_not_view_requests_may_not_view_their_sums(address: str) -> None:
    assert client_of("bob", "view_servedmodel").get(address).status_code == 403
    assert client_of("eve", "view_requestrecord").get(address).status_code == 200


def test_the_index_of_the_admin_lists_it(staff: Client) -> None:
    assert PAGE in staff.get(reverse("admin:index")).content.decode()


def test_a_name_that_a_client_made_up_is_cut_and_is_whole_in_the_csv(staff: Client) -> None:
    name = f"begin{'x' * 400}end"
    an_hour(model=name).save()
    table = shown(staff).partition("<table")[2].partition("</table>")[0]
    assert ">begin" in table and "xend<" in table and "x" * 80 not in re.sub(r"<a .*?</a>", "", table)
    assert name in staff.get(CSV).content.decode()
