from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sms", "0002_templates")]
    operations = [
        migrations.RemoveIndex("message", "message_by_phone"),
        migrations.RenameField("message", "phone", "recipient"),
        migrations.RemoveConstraint("pin", "pin_one_a_purpose_and_phone"),
        migrations.RenameField("pin", "phone", "recipient"),
        migrations.AlterModelOptions(
            name="template",
            options={"ordering": ("channel", "key")},
        ),
        migrations.AddField(
            model_name="message",
            name="channel",
            field=models.CharField(choices=[("sms", "SMS"), ("email", "e-mail")], default="sms", max_length=5),
        ),
        migrations.AddField(
            model_name="message",
            name="customer_id",
            field=models.CharField(
                blank=True, db_index=True, help_text="Whose message it is, if known.", max_length=15
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="subject",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="pin",
            name="customer_id",
            field=models.CharField(blank=True, help_text="Whose action it allows; empty: anybody's.", max_length=15),
        ),
        migrations.AddField(
            model_name="template",
            name="channel",
            field=models.CharField(choices=[("sms", "SMS"), ("email", "e-mail")], default="sms", max_length=5),
        ),
        migrations.AddField(
            model_name="template",
            name="subject",
            field=models.CharField(blank=True, help_text="Of an e-mail.", max_length=100),
        ),
        migrations.AlterField(
            model_name="message",
            name="recipient",
            field=models.CharField(help_text="A cell phone or an e-mail address.", max_length=254),
        ),
        migrations.AlterField(
            model_name="pin",
            name="purpose",
            field=models.CharField(
                choices=[
                    ("create", "Register"),
                    ("update", "Change to this cell phone"),
                    ("old phone", "Prove the cell phone on file"),
                    ("email", "Prove the e-mail address on file"),
                    ("mobile", "Verify a cell phone after log-in"),
                    ("password", "Reset the password"),
                    ("captcha", "Checked by sms/verify"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="pin",
            name="recipient",
            field=models.CharField(help_text="The cell phone or e-mail address that it was sent to.", max_length=254),
        ),
        migrations.AlterField(
            model_name="template",
            name="key",
            field=models.CharField(help_text="What the API's parameter template names.", max_length=40),
        ),
        migrations.AlterField(
            model_name="template",
            name="text",
            field=models.CharField(max_length=1000),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["recipient", "-id"], name="message_by_recipient"),
        ),
        migrations.AddConstraint(
            model_name="pin",
            constraint=models.UniqueConstraint(fields=("purpose", "recipient"), name="pin_one_a_purpose_and_recipient"),
        ),
        migrations.AddConstraint(
            model_name="template",
            constraint=models.UniqueConstraint(fields=("channel", "key"), name="template_one_a_channel_and_key"),
        ),
    ]
