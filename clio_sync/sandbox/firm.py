"""The invented firm: who works there, whom it acts for, and what its matters are about.

Names and numbers are made up. Nothing is drawn at random, so every sandbox starts with the same firm.
"""

from __future__ import annotations

NAME = "Harrow & Quill LLP"

# first name, last name, kind, roles, owner
USERS: tuple[tuple[int, str, str, str, list[str], bool], ...] = (
    (350771, "Alice", "Harrow", "Attorney", ["Admin", "Billing"], True),
    (350772, "Bob", "Quill", "Attorney", ["Billing"], False),
    (350773, "Priya", "Raman", "NonAttorney", [], False),
)

# id, name, code, category, stages
PRACTICE_AREAS = (
    (
        5101,
        "Wills and Estates",
        "WE",
        "wills_and_estates",
        ("Intake", "Drafting", "Signing", "Administration"),
    ),
    (5102, "Family", "FAM", "family", ("Intake", "Disclosure", "Negotiation", "Hearing", "Final order")),
    (5103, "Real Estate", "RE", "real_estate", ("Offer", "Conditions", "Closing", "Post-closing")),
    (
        5104,
        "Commercial Litigation",
        "CL",
        "commercial_litigation",
        ("Pleadings", "Discovery", "Mediation", "Trial"),
    ),
)

CATEGORIES = (
    (41007, "Engagement letters"),
    (41008, "Pleadings"),
    (41009, "Correspondence"),
    (41010, "Agreements"),
    (41011, "Estate documents"),
    (41012, "Memoranda"),
    (41013, "Evidence"),
)

PEOPLE = (
    "Chidi Okafor", "Lucia Reyes", "Margaret Osei", "Daniel Brandt", "Hannah Whitcombe",
    "Farid Haddad", "Grace Lindqvist", "Owen Castellan", "Mei-Ling Zhao", "Rosa Delgado",
    "Samuel Abernathy", "Ingrid Solberg", "Tomasz Wrona", "Yasmin Karimi", "Peter Vandermeer",
    "Adaeze Nwosu", "Caroline Fitzroy", "Hiroshi Tanabe", "Eleanor Pike", "Marcus Thibodeau",
    "Siobhán Keane", "Vikram Sethi", "Beatriz Amaral", "Jonas Weller",
)  # fmt: skip

COMPANIES = (
    "Brandt Foods Ltd", "Cedar & Stone Developments Inc", "Northgate Logistics LLP",
    "Blue Heron Marine Ltd", "Okanagan Orchard Co-operative", "Whitcombe Family Trust",
    "Meridian Dental Group Inc", "Larkspur Hotels Ltd",
)  # fmt: skip

# What matters are about, by practice area, in the order they are opened.
DESCRIPTIONS = {
    5101: (
        "Estate plan and trusts", "Administration of the estate", "Will variation claim",
        "Powers of attorney", "Family trust settlement", "Probate application",
        "Codicil to the 2019 will", "Estate freeze", "Guardianship of an adult",
        "Charitable remainder trust", "Representation agreement", "Contested probate",
        "Distribution to beneficiaries", "Mutual wills", "Passing of accounts",
    ),
    5102: (
        "Contested custody", "Separation agreement", "Divorce, uncontested",
        "Spousal support variation", "Division of family property", "Marriage agreement",
        "Child support arrears", "Relocation application", "Adoption by a step-parent",
        "Protection order", "Parenting plan", "Cohabitation agreement",
        "Enforcement of a foreign order", "Mediation of parenting time", "Name change of a minor",
    ),
    5103: (
        "Purchase of 418 Alder Street", "Mortgage discharge", "Sale of Unit 1204, Harbour Tower",
        "Refinancing of a warehouse", "Easement dispute", "Strata bylaw amendment",
        "Purchase of farmland", "Lease of retail premises", "Builder's lien",
        "Subdivision of Lot 7", "Assignment of a purchase contract", "Residential tenancy hearing",
        "Option to purchase", "Commercial lease review", "Joint ownership agreement",
    ),
    5104: (
        "Breach of supply contract", "Shareholder dispute", "Collection of unpaid invoices",
        "Defence of a negligence claim", "Injunction against a former employee",
        "Misrepresentation in a sale", "Cargo damage claim", "Franchise termination",
        "Partnership dissolution", "Trademark passing off", "Insurance coverage dispute",
        "Construction delay claim", "Judicial review", "Arbitration of a price formula",
        "Enforcement of a guarantee",
    ),
}  # fmt: skip

FOLDERS = {
    5101: ("Correspondence", "Drafts", "Executed documents"),
    5102: ("Correspondence", "Pleadings", "Financial disclosure"),
    5103: ("Correspondence", "Agreements", "Closing documents"),
    5104: ("Correspondence", "Pleadings", "Evidence"),
}

# Which matters are not open: by the place in the year's numbering.
CLOSED = {3, 9, 17, 28, 36, 47, 55}
PENDING = {12, 31, 50, 58}

# place of the matter, folder, name, category, paragraphs: what already lies in Clio
DOCUMENTS = (
    (
        42,
        "Correspondence",
        "Engagement letter.pdf",
        41007,
        ("We are pleased to act for you.", "Our fees are below."),
    ),
    (42, "Agreements", "Lease - signed.pdf", 41010, ("The landlord lets the premises for five years.",)),
    (
        41,
        "Pleadings",
        "Notice of family claim.pdf",
        41008,
        ("The claimant seeks an order for parenting time.",),
    ),
    (
        40,
        "Drafts",
        "Will - first draft.pdf",
        41011,
        ("I revoke all former wills.", "I appoint my sister as executor."),
    ),
    (39, "Evidence", "Chronology.pdf", 41013, ("12 March: goods delivered.", "2 April: defects reported.")),
    (
        39,
        "Correspondence",
        "Letter to opposing counsel.pdf",
        41009,
        ("We write further to our call of last week.",),
    ),
)
