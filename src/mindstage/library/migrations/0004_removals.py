from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('library', '0003_material'),
    ]

    operations = [
        migrations.AddField(
            model_name='material',
            name='removals',
            field=models.PositiveIntegerField(default=0),
        ),
    ]
