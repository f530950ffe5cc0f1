from typing import Any

from django.db import migrations


def let_those_here_chat(apps: Any, _: Any) -> None:
    """Everybody with an account could chat so far, and still can."""
    users = apps.get_model("auth", "User").objects.all()
    if not users.exists():
        return  # the groups of a new site are made after the migrations, with their rights
    kind, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="inference", model="servedmodel"
    )
    right, _ = apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=kind, codename="ask_servedmodel", defaults={"name": "Can chat with models"}
    )
    member, is_new = apps.get_model("auth", "Group").objects.get_or_create(name="member")
    if is_new:
        member.permissions.add(right)
        member.user_set.add(*users)
    else:  # a group of that name is somebody's own: what else it may do is not for everybody
        right.user_set.add(*users)


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("inference", "0009_operators_choices"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="servedmodel",
            options={
                "default_permissions": ["view"],
                "ordering": ["name"],
                "permissions": [
                    ("ask_servedmodel", "Can chat with models"),
                    ("run_servedmodel", "Can load, unload and pin models"),
                    ("remove_servedmodel", "Can delete the files of models"),
                ],
                "verbose_name": "model",
            },
        ),
        migrations.RunPython(let_those_here_chat, migrations.RunPython.noop),
    ]
