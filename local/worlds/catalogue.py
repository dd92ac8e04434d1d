"""Products that every world has, and the made-up companies that its customers are called after."""

from typing import Any

# Names and part numbers (ProductId:SkuId) in the shape of Microsoft's price list.
CATALOGUE: dict[str, dict[str, Any]] = {
    "business_premium": {
        "name": "Microsoft 365 Business Premium",
        "part_number": "CFQ7TTC0LCHC:0002",
        "price": "18.70",
    },
    "business_basic": {"name": "Microsoft 365 Business Basic", "part_number": "CFQ7TTC0LH18:0001", "price": "5.10"},
    "e3": {"name": "Microsoft 365 E3", "part_number": "CFQ7TTC0LFLX:0001", "price": "33.00"},
    "e5": {"name": "Microsoft 365 E5", "part_number": "CFQ7TTC0LFLZ:0002", "price": "54.75"},
    "exchange": {"name": "Exchange Online (Plan 1)", "part_number": "CFQ7TTC0LH16:0001", "price": "3.40"},
    "power_bi": {"name": "Power BI Pro", "part_number": "CFQ7TTC0H9MP:0001", "price": "13.10"},
    "visio": {"name": "Visio Plan 2", "part_number": "CFQ7TTC0HD32:0002", "price": "14.00"},
    "project": {"name": "Planner and Project Plan 3", "part_number": "CFQ7TTC0HDB0:0002", "price": "28.10"},
    "teams_phone": {"name": "Teams Phone Standard", "part_number": "CFQ7TTC0LH0T:0001", "price": "9.40"},
    "defender": {"name": "Defender for Office 365 (Plan 1)", "part_number": "CFQ7TTC0LHT4:0001", "price": "1.90"},
    "azure_plan": {"name": "Azure plan", "part_number": "DZH318Z0BPS6:0001", "class": "usage"},
    "backup": {"name": "Cloud Backup", "part_number": "BKP-100", "price": "4.00"},
    "support": {"name": "Managed Support", "class": "service"},
    "bundle": {"name": "Modern Workplace Bundle", "class": "service"},
}

# Microsoft's names for companies that do not exist.
COMPANIES = (
    "Adatum",
    "Adventure Works",
    "Alpine Ski House",
    "Bellows College",
    "Best For You Organics",
    "Blue Yonder Airlines",
    "City Power & Light",
    "Coho Vineyard",
    "Coho Winery",
    "Consolidated Messenger",
    "Contoso",
    "Contoso Pharmaceuticals",
    "Contoso Suites",
    "Fabrikam",
    "Fabrikam Residences",
    "First Up Consultants",
    "Fourth Coffee",
    "Graphic Design Institute",
    "Humongous Insurance",
    "Lamna Healthcare",
    "Liberty's Delightful Bakery",
    "Litware",
    "Lucerne Publishing",
    "Margie's Travel",
    "Munson's Pickles",
    "Nod Publishers",
    "Northwind Traders",
    "Proseware",
    "Relecloud",
    "School of Fine Art",
    "Southridge Video",
    "Tailspin Toys",
    "The Phone Company",
    "Trey Research",
    "VanArsdel",
    "Wide World Importers",
    "Wingtip Toys",
    "Woodgrove Bank",
)


def company(number: int) -> str:
    """The name of the customer with this number, counted from 0; each number has a name of its own."""
    round_, place = divmod(number, len(COMPANIES))
    return COMPANIES[place] if round_ == 0 else f"{COMPANIES[place]} {round_ + 1}"
