"""What the database refuses of portal submissions, whoever asks (F3, M5).

- A submission stays with its document and its portal and is never deleted.
- Steps and files are the history: they are added, never changed or deleted.
"""

from django.db import migrations

GUARDS = """
CREATE TRIGGER portal_submission_keeps_its_document
    BEFORE UPDATE ON invoicing_portalsubmission FOR EACH ROW
    EXECUTE FUNCTION invoicing_guard_booking('{state,reference,step_date}');
CREATE TRIGGER portal_submission_is_never_deleted
    BEFORE DELETE ON invoicing_portalsubmission
    FOR EACH ROW EXECUTE FUNCTION contracts_refuse_delete();
CREATE TRIGGER portal_step_is_append_only
    BEFORE UPDATE OR DELETE ON invoicing_portalstep
    FOR EACH ROW EXECUTE FUNCTION billing_refuse_change();
ALTER TABLE invoicing_portalfile ADD CONSTRAINT portal_file_is_what_was_checked
    CHECK (sha256 = encode(sha256(content), 'hex'));
CREATE TRIGGER portal_file_is_append_only
    BEFORE UPDATE OR DELETE ON invoicing_portalfile
    FOR EACH ROW EXECUTE FUNCTION billing_refuse_change();
"""

UNDO = """
DROP TRIGGER portal_file_is_append_only ON invoicing_portalfile;
ALTER TABLE invoicing_portalfile DROP CONSTRAINT portal_file_is_what_was_checked;
DROP TRIGGER portal_step_is_append_only ON invoicing_portalstep;
DROP TRIGGER portal_submission_is_never_deleted ON invoicing_portalsubmission;
DROP TRIGGER portal_submission_keeps_its_document ON invoicing_portalsubmission;
"""


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0006_guard_papers")]

    operations = [migrations.RunSQL(GUARDS, UNDO)]
