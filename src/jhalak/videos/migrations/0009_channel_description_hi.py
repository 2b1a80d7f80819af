from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("videos", "0008_av1"),
    ]

    operations = [
        migrations.AddField(
            model_name="channel",
            name="description_hi",
            field=models.CharField(blank=True, max_length=200),
        ),
    ]
