"""What a player chooses from, in the video's own row; told for the videos that are there."""

from typing import Any

from django.apps.registry import Apps
from django.db import migrations, models


def tell(apps: Apps, _editor: object) -> None:
    Video = apps.get_model("videos", "Video")
    Rendition = apps.get_model("videos", "Rendition")
    made: dict[int, list[list[Any]]] = {}
    for one in Rendition.objects.order_by("average_bps").iterator():
        offset, size, *_ = one.fragments[0]
        source = [
            one.name, one.width, one.height, one.average_bps, one.bitrate_bps, one.codecs,
            offset + size,
        ]  # fmt: skip
        made.setdefault(one.video_id, []).append(source)
    for pk, sources in made.items():
        Video.objects.filter(pk=pk).update(sources=sources)


class Migration(migrations.Migration):
    dependencies = [("videos", "0003_captions")]

    operations = [
        migrations.AddField("video", "sources", models.JSONField(default=list)),
        migrations.RunPython(tell, migrations.RunPython.noop),
    ]
