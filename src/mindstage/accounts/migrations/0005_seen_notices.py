from django.db import migrations, models


class Migration(migrations.Migration):
    """What was told before notices were counted is nothing new."""

    dependencies = [
        ('accounts', '0004_log_outs'),
    ]

    operations = [
        migrations.AddField(
            model_name='notice',
            name='seen',
            field=models.BooleanField(default=True),
        ),
        migrations.AlterField(
            model_name='notice',
            name='seen',
            field=models.BooleanField(default=False),
        ),
        migrations.AddIndex(
            model_name='notice',
            index=models.Index(fields=['account', 'seen'], name='new_notices'),
        ),
    ]
