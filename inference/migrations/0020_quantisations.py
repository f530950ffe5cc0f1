from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("inference", "0019_accounts"),
    ]

    operations = [
        migrations.CreateModel(
            name="Quantisation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
            ],
            options={
                "managed": False,
                "default_permissions": (),
            },
        ),
    ]
