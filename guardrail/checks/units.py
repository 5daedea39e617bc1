"""Units of measure and money: which word means what, and how much of the base unit. Pure.

Own data rather than a library's: ``pint`` has better coverage, but takes 0.75 s and 19 MB before it
converts the first metre.
"""

from __future__ import annotations

__all__ = ["CURRENCY_SIGNS", "SCALES", "UNITS", "Meaning"]

Meaning = tuple[str, float, float]
"""Dimension, how much of its base unit one is, and what is added for scales that do not start at nought."""

_BASE: dict[str, dict[float, str]] = {
    "length": {
        1: "m metre metres meter meters",
        1e3: "km kilometre kilometres kilometer kilometers",
        0.01: "cm centimetre centimetres centimeter centimeters",
        1e-3: "mm millimetre millimetres millimeter millimeters",
        1e-6: "µm μm micron microns micrometre micrometres micrometer micrometers",
        1e-9: "nm nanometre nanometres nanometer nanometers",
        0.3048: "ft foot feet",
        0.0254: "inch inches",
        0.9144: "yd yard yards",
        1609.344: "mi mile miles",
        1852: "nmi nautical_mile nautical_miles",
        9.4607e15: "light-year light-years light_year light_years",
    },
    "mass": {
        1: "g gram grams gramme grammes",
        1e3: "kg kilo kilos kilogram kilograms",
        1e-3: "mg milligram milligrams",
        1e-6: "µg μg mcg microgram micrograms",
        1e6: "t tonne tonnes ton tons metric_ton metric_tons metric_tonnes",
        453.592: "lb lbs pound pounds",
        28.3495: "oz ounce ounces",
        6350.29: "stone",
    },
    "volume": {
        1: "l L litre litres liter liters",
        0.1: "dl dL decilitre decilitres deciliter deciliters",
        0.01: "cl cL centilitre centilitres centiliter centiliters",
        1e-3: "ml mL cc millilitre millilitres milliliter milliliters",
        1e3: "m³ m3 cubic_metre cubic_metres cubic_meter cubic_meters",
        0.2366: "cup cups",
        0.014787: "tbsp tablespoon tablespoons",
        0.0049289: "tsp teaspoon teaspoons",
        3.78541: "gallon gallons",
        0.473176: "pint pints",
        0.946353: "quart quarts",
    },
    "area": {
        1: "m² m2 sqm sq_m square_metre square_metres square_meter square_meters",
        1e6: "km² km2 sq_km square_kilometre square_kilometres square_kilometer square_kilometers",
        1e4: "ha hectare hectares",
        4046.86: "acre acres",
        0.092903: "ft² sqft sq_ft square_foot square_feet",
        2589988: "sq_mi square_mile square_miles",
    },
    "time": {
        1: "s sec secs second seconds",
        1e-3: "ms millisecond milliseconds",
        60: "min mins minute minutes",
        3600: "h hr hrs hour hours",
        86400: "day days working_day working_days business_day business_days calendar_day calendar_days night nights",
        604800: "week weeks",
        1209600: "fortnight fortnights",
        2629800: "month months",
        31557600: "yr yrs year years",
        315576000: "decade decades",
        3155760000: "century centuries",
    },
    "data": {
        1: "B byte bytes",
        1e3: "kB KB kilobyte kilobytes",
        1e6: "MB MiB megabyte megabytes",
        1e9: "GB GiB gigabyte gigabytes",
        1e12: "TB TiB terabyte terabytes",
    },
    "speed": {
        1: "km/h kmh kph kilometre_per_hour kilometres_per_hour kilometer_per_hour kilometers_per_hour",
        1.609344: "mph mile_per_hour miles_per_hour",
        1.09728: "ft/s feet_per_second",
        3600: "km/s kilometres_per_second kilometers_per_second",
        3.6: "m/s metres_per_second meters_per_second",
        1.852: "kn knot knots",
    },
    "power": {1: "W watt watts", 1e3: "kW kilowatt kilowatts", 1e6: "MW megawatt megawatts",
              1e9: "GW gigawatt gigawatts", 745.7: "hp horsepower"},
    "energy": {1: "Wh", 1e3: "kWh kilowatt-hour kilowatt-hours", 1e6: "MWh", 1e9: "GWh", 1e12: "TWh",
               1.163: "kcal calorie calories kilocalorie kilocalories", 0.27778: "kJ kilojoule kilojoules"},
    "frequency": {1: "Hz hertz", 1e3: "kHz", 1e6: "MHz", 1e9: "GHz"},
    "voltage": {1: "V volt volts", 1e3: "kV"},
    "capacity": {1: "mAh", 1e3: "Ah"},
    "flow": {
        1: "m³/s m3/s cubic_metre_per_second cubic_metres_per_second cubic_meter_per_second cubic_meters_per_second",
        1 / 3600: "m³/h m3/h cubic_metres_per_hour cubic_meters_per_hour",
        1e-3: "l/s L/s litre_per_second litres_per_second liter_per_second liters_per_second",
        1 / 6e4: "l/min L/min litre_per_minute litres_per_minute liter_per_minute liters_per_minute",
        1 / 3.6e9: "ml/h mL/h millilitres_per_hour milliliters_per_hour",
    },
    "load": {1: "kg/m² kg/m2 kg_per_square_metre kg_per_square_meter kilograms_per_square_metre"},
    "density": {1: "kg/m³ kg/m3", 1e3: "g/cm³ g/cm3 kg/l kg/L"},
    "dose": {1: "mg/kg", 1e-3: "µg/kg μg/kg mcg/kg", 1e3: "g/kg"},
    "data rate": {1e3: "kbps kbit/s", 1e6: "Mbps Mbit/s megabits_per_second", 1e9: "Gbps Gbit/s gigabits_per_second", 8e3: "kB/s", 8e6: "MB/s megabytes_per_second", 8e9: "GB/s"},
    "turns": {1: "rpm revolutions_per_minute"},
    "loudness": {1: "dB decibel decibels"},
    "pressure": {1: "mmHg", 7.50062: "kPa", 750.062: "bar", 51.7149: "psi"},
    "mg/dl": {1: "mg/dL mg/dl"},
    "mmol/l": {1: "mmol/L mmol/l"},
    "pixels": {1: "px pixel pixels", 1e6: "MP megapixel megapixels"},
    "percent": {1: "% percent per_cent pct percentage_point percentage_points pp", 0.01: "basis_point basis_points bps"},
    "degrees": {1: "° degree degrees"},
    "celsius": {1: "°C ℃ degree_Celsius degrees_Celsius degrees_celsius degrees_C degrees_centigrade"},
    "dollar": {1: "$ USD US$ A$ C$ NZ$ AUD CAD dollar dollars US_dollars", 0.01: "cent cents"},
    "euro": {1: "€ EUR euro euros", 0.01: "cent cents"},
    "pound": {1: "£ GBP pound pounds pounds_sterling quid", 0.01: "pence"},
    "yen": {1: "JPY yen"},
    "yuan": {1: "CNY RMB yuan"},
    "rupee": {1: "₹ INR rupee rupees"},
    "franc": {1: "CHF franc francs"},
    "krona": {1: "SEK NOK DKK kr krona kronor krone kroner"},
}  # fmt: skip


_SIGNED = {"€": "euro", "£": "pound", "$": "dollar"}
_PER_PIECE = "l kg g m m² m2 km kWh MWh h hour day week month year night person head unit piece t ha".split()


def _meanings() -> dict[str, tuple[Meaning, ...]]:
    found: dict[str, list[Meaning]] = {}
    for dimension, sizes in _BASE.items():
        for factor, names in sizes.items():
            for name in names.split():
                found.setdefault(name.replace("_", " "), []).append((dimension, factor, 0.0))
    for name in ("°F", "degrees Fahrenheit", "degrees fahrenheit", "degrees F"):
        found[name] = [("celsius", 5 / 9, -160 / 9)]
    for name in ("degree", "degrees", "°"):  # of an angle, or of whatever scale is meant
        found[name] += [("celsius", 1.0, 0.0), ("celsius", 5 / 9, -160 / 9)]
    for sign, money in _SIGNED.items():
        for piece in _PER_PIECE:
            found[f"{sign}/{piece}"] = [(money, 1.0, 0.0)]
    found["¥"] = [("yen", 1.0, 0.0), ("yuan", 1.0, 0.0)]
    return {name: tuple(meanings) for name, meanings in found.items()}


UNITS = _meanings()
"""What a unit's name or sign may mean; ``pounds`` are mass or money."""

CURRENCY_SIGNS = (
    "US$",
    "A$",
    "C$",
    "NZ$",
    "$",
    "€",
    "£",
    "¥",
    "₹",
    *tuple("USD EUR GBP JPY CHF INR CNY AUD CAD SEK NOK DKK".split()),
)
"""What may stand before a number."""

SCALES = {
    "hundred": 1e2, "thousand": 1e3, "million": 1e6, "millions": 1e6, "billion": 1e9, "billions": 1e9,
    "trillion": 1e12, "k": 1e3, "K": 1e3, "mn": 1e6, "bn": 1e9, "tn": 1e12, "M": 1e6, "B": 1e9, "m": 1e6, "b": 1e9,
    "dozen": 12.0, "lakh": 1e5, "crore": 1e7,
}  # fmt: skip
"""Words and letters that multiply the number before them."""
