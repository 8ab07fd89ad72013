"""Which names Clio's published contract knows, model by model.

Each line reads ``attributes | association:Model`` and a star means a list. The text is taken from Clio's own
OpenAPI document; a contract test compares it name by name, so an edit by hand is noticed.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Association:
    model: str
    many: bool


@dataclass(frozen=True)
class Shape:
    attributes: frozenset[str]
    associations: dict[str, Association] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> Shape:
        attributes, _, associations = text.partition(" | ")
        return cls(frozenset(attributes.split()), dict(_association(word) for word in associations.split()))


def _association(word: str) -> tuple[str, Association]:
    name, _, model = word.partition(":")
    return name, Association(model.rstrip("*"), many=model.endswith("*"))


_TEXT = {
    "AccountBalance_base": "balance currency_id id name type",
    "Account_base": (
        "address city country created_at etag fax id name phone postal_code province state updated_at"
    ),
    "ActivityDescription_base": (
        "accessible_to_user category_type created_at currency default description etag id name type "
        "updated_at utbms_activity_id utbms_task_id utbms_task_name visible_to_co_counsel "
        "xero_service_code"
    ),
    "ActivityRate_base": "co_counsel_contact_id contact_id created_at etag flat_rate id rate updated_at",
    "Address_base": ("city country created_at etag id name postal_code primary province street updated_at"),
    "AttorneyAllocation_base": (
        "account_id created_at etag id originating_attorney_allocation resource_id resource_type "
        "responsible_attorney_allocation updated_at"
    ),
    "Avatar_base": "_destroy created_at etag id updated_at url",
    "Client": (
        "client_connect_user_id created_at date_of_birth first_name id initials is_matter_client "
        "last_name middle_name name prefix primary_email_address primary_phone_number title type "
        "updated_at | addresses:Address_base* avatar:Avatar_base company:Contact_base "
        "email_addresses:EmailAddress_base* phone_numbers:PhoneNumber_base* web_sites:WebSite_base*"
    ),
    "ClioCreator_base": (
        "account_owner clio_connect court_rules_default_attendee created_at default_calendar_id email "
        "enabled etag first_name id initials last_name name phone_number rate roles subscription_type "
        "time_zone type updated_at"
    ),
    "Contact": (
        "client_connect_user_id clio_connect_email created_at date_of_birth etag first_name "
        "has_clio_for_clients_permission id initials is_bill_recipient is_client is_clio_for_client_user "
        "is_co_counsel last_name ledes_client_id locked_clio_connect_email middle_name name prefix "
        "primary_email_address primary_phone_number require_utbms_codes sales_tax_number "
        "secondary_email_address secondary_phone_number title type updated_at | "
        "account_balances:AccountBalance_base* activity_rates:ActivityRate_base* addresses:Address_base* "
        "avatar:Avatar_base co_counsel_rate:ActivityRate_base company:Contact_base "
        "currency:Currency_base custom_field_set_associations:CustomFieldSetAssociation_base* "
        "custom_field_values:CustomFieldValue* email_addresses:EmailAddress_base* folder:Folder_base "
        "instant_messengers:InstantMessenger_base* kyc_field_values:KycFieldValue_base* "
        "legal_aid_uk_contact:LegalAidUkContact_base notification_methods:NotificationMethod_base* "
        "payment_profile:PaymentProfile_base phone_numbers:PhoneNumber_base* "
        "primary_address:Address_base primary_web_site:WebSite_base primary_work_address:Address_base "
        "related_contacts:Contact_base* secondary_address:Address_base web_sites:WebSite_base*"
    ),
    "Contact_base": (
        "client_connect_user_id clio_connect_email created_at currency date_of_birth etag first_name "
        "has_clio_for_clients_permission id initials is_bill_recipient is_client is_clio_for_client_user "
        "is_co_counsel last_name ledes_client_id locked_clio_connect_email middle_name name prefix "
        "primary_email_address primary_phone_number require_utbms_codes sales_tax_number "
        "secondary_email_address secondary_phone_number title type updated_at"
    ),
    "ContingencyFee_base": "created_at etag id show_contingency_award updated_at",
    "Currency_base": "code created_at etag id sign updated_at",
    "CustomField": (
        "created_at deleted display_order displayed etag field_type id name parent_type required "
        "updated_at | picklist_options:PicklistOption_base*"
    ),
    "CustomFieldMatterSelection_base": "display_number id",
    "CustomFieldSetAssociation_base": "created_at display_order etag id updated_at",
    "CustomFieldValue": (
        "created_at etag field_display_order field_displayed field_name field_required field_type id "
        "soft_deleted updated_at value | contact:Contact_base custom_field:CustomField "
        "matter:CustomFieldMatterSelection_base picklist_option:PicklistOption"
    ),
    "Document": (
        "content_type created_at deleted_at etag filename id locked name received_at size type "
        "updated_at | contact:Contact_base creator:ClioCreator_base "
        "document_category:DocumentCategory_base external_properties:ExternalProperty_base* "
        "group:Group_base latest_document_version:DocumentVersion matter:Matter_base "
        "parent:LinkedFolder_base"
    ),
    "DocumentCategory": "created_at etag id name updated_at",
    "DocumentCategory_base": "created_at etag id name updated_at",
    "DocumentVersion": (
        "content_type created_at document_id etag filename fully_uploaded id put_url received_at size "
        "updated_at uuid version_number | creator:ClioCreator_base multiparts:Multipart* "
        "put_headers:MultipartHeader_base*"
    ),
    "DocumentVersion_base": (
        "content_type created_at document_id etag filename fully_uploaded id put_url received_at size "
        "updated_at uuid version_number"
    ),
    "EmailAddress_base": "address created_at etag id name primary updated_at",
    "EvergreenRetainer_base": "created_at etag id minimum_threshold updated_at",
    "ExternalProperty_base": "created_at etag id name updated_at value",
    "Folder": (
        "created_at deleted_at etag id locked name root type updated_at | contact:Contact_base "
        "creator:ClioCreator_base document_category:DocumentCategory_base "
        "external_properties:ExternalProperty_base* group:Group_base "
        "latest_document_version:DocumentVersion_base matter:Matter_base parent:LinkedFolder_base"
    ),
    "Folder_base": "created_at deleted_at etag id locked name root type updated_at",
    "Group_base": "client_connect_user etag id name type updated_at",
    "InstantMessenger_base": "address created_at etag id name updated_at",
    "JobTitle_base": "etag id initials name",
    "KycFieldValue_base": (
        "created_at etag field_label field_name field_possible_values field_type field_value group id "
        "updated_at"
    ),
    "LegalAidUkContact_base": (
        "disability disability_code ethnicity ethnicity_title financially_eligible gender gender_title "
        "id national_insurance_number"
    ),
    "LegalAidUkMatter_base": (
        "access_point ait_hearing_centre attended_several_hearings_acting_for_multiple_clients "
        "bill_ho_ucn bill_number_of_attendances bill_outcome_for_the_client_code bill_stage_reached_code "
        "case_reference case_start_date category category_as_string certificate_effective_date "
        "certificate_expiration_date certificate_number certificate_scope certification_type "
        "change_of_solicitor client_equal_opportunity_monitoring client_type clr_start_date "
        "clr_total_profit_costs cost_limit counsel court court_id court_id_code created_at "
        "delivery_location dscc_number duty_solicitor etag exceptional_case_funding_reference "
        "expense_limit fee_scheme first_conducting_solicitor id irc_surgery laa_office_number "
        "legacy_case legal_representation_number lh_start_date lh_total_disbursements "
        "lh_total_profit_costs linked_matter_id local_authority_number maat_id matter_type matter_type_1 "
        "matter_type_1_code matter_type_1_title matter_type_2 matter_type_2_code matter_type_2_title "
        "matter_type_code matter_types_combined number_of_clients number_of_clients_seen_at_surgery "
        "party police_station post_transfer_clients_represented postal_application_accepted "
        "prior_authority_reference prison_id prison_law_prior_approval_number procurement_area region "
        "related_claims_number representation_order_date schedule_reference_number scheme_id "
        "session_type solicitor_type standard_fee_category surgery_clients "
        "surgery_clients_resulting_in_a_legal_help_matter_opened surgery_date transfer_date "
        "type_of_advice type_of_service ucn ufn undesignated_area_court updated_at user_type youth_court"
    ),
    "LinkedFolder_base": "created_at deleted_at etag id locked name root type updated_at",
    "Matter": (
        "billable billing_method client_id client_reference close_date created_at custom_number "
        "description display_number etag has_tasks id last_activity_date location maildrop_address "
        "matter_stage_updated_at number open_date pending_date require_utbms_codes shared status "
        "updated_at | account_balances:AccountBalance_base* attorney_allocation:AttorneyAllocation_base "
        "client:Contact_base contingency_fee:ContingencyFee_base currency:Currency_base "
        "custom_field_set_associations:CustomFieldSetAssociation_base* "
        "custom_field_values:CustomFieldValue* custom_rate:MatterCustomRate "
        "evergreen_retainer:EvergreenRetainer_base folder:Folder_base group:Group_base "
        "kyc_field_values:KycFieldValue_base* legal_aid_uk_matter:LegalAidUkMatter_base "
        "matter_bill_recipients:MatterBillRecipient* matter_budget:MatterBudget_base "
        "matter_stage:MatterStage_base originating_attorney:User_base practice_area:PracticeArea_base "
        "relationships:Relationship_base* responsible_attorney:User_base responsible_staff:User_base "
        "split_invoice_payers:SplitInvoicePayer_base* statute_of_limitations:Task_base "
        "task_template_list_instances:TaskTemplateListInstace_base* user:User_base"
    ),
    "MatterBillRecipient": "created_at etag id updated_at | recipient:Contact_base",
    "MatterBudget_base": (
        "budget created_at etag id include_expenses notification_threshold notify_users updated_at"
    ),
    "MatterCustomRate": "on_invoice type | rates:PolymorphicCustomRate*",
    "MatterStage": "created_at etag id name order practice_area_id updated_at",
    "MatterStage_base": "created_at etag id name order practice_area_id updated_at",
    "Matter_base": (
        "billable billing_method client_id client_reference close_date created_at currency custom_number "
        "description display_number etag has_tasks id last_activity_date location maildrop_address "
        "matter_stage_updated_at number open_date pending_date require_utbms_codes shared status "
        "updated_at"
    ),
    "Multipart": "part_number put_url | put_headers:MultipartHeader_base*",
    "MultipartHeader_base": "name value",
    "NotificationMethod_base": "created_at email_address etag id is_default_email_address type updated_at",
    "PaymentProfile_base": (
        "billing_setting_id created_at discount_period discount_rate etag id interest_period "
        "interest_rate interest_type name terms updated_at"
    ),
    "PhoneNumber_base": "created_at etag id name number primary updated_at",
    "PicklistOption": "created_at deleted_at etag id option updated_at",
    "PicklistOption_base": "created_at deleted_at etag id option updated_at",
    "PolymorphicCustomRate": (
        "award created_at date etag id note rate updated_at | "
        "activity_description:PolymorphicCustomRate_ActivityDescription_base "
        "group:PolymorphicCustomRate_Group_base user:PolymorphicCustomRate_User_base"
    ),
    "PolymorphicCustomRate_ActivityDescription_base": "etag id name",
    "PolymorphicCustomRate_Group_base": "etag id name",
    "PolymorphicCustomRate_User_base": "enabled etag id name",
    "PracticeArea": "category code created_at etag id name updated_at",
    "PracticeArea_base": "category code created_at etag id name updated_at",
    "Relationship_base": "created_at description etag id updated_at",
    "SplitInvoicePayer_base": (
        "contact_id created_at etag id matter_id send_to_bill_recipients split_portion updated_at"
    ),
    "TaskTemplateListInstace_base": "created_at etag id updated_at",
    "Task_base": (
        "completed_at created_at description description_text_type due_at etag id name notify_completion "
        "permission priority status statute_of_limitations time_entries_count time_estimated updated_at"
    ),
    "User": (
        "account_owner clio_connect court_rules_default_attendee created_at default_calendar_id email "
        "enabled etag first_name id initials last_name locale name phone_number rate roles "
        "subscription_type time_zone updated_at | account:Account_base avatar:Avatar_base "
        "contact:Contact_base default_activity_description:ActivityDescription_base groups:Group_base* "
        "job_title:JobTitle_base notification_methods:NotificationMethod_base*"
    ),
    "User_base": (
        "account_owner clio_connect court_rules_default_attendee created_at default_calendar_id email "
        "enabled etag first_name id initials last_name locale name phone_number rate roles "
        "subscription_type time_zone updated_at"
    ),
    "WebSite_base": "address created_at default_web_site etag id name updated_at",
}

SHAPES = {model: Shape.read(text) for model, text in _TEXT.items()}
