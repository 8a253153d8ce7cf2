"""Where: the line, its sectors, the bases behind it, roads and seasons - as an author writes them."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from sim.scenario.part import Fault, Faults, Part, Text
from sim.scenario.quantities import Length, PositiveLength, PositiveSpeed, Quantity, spoken

_NAME = r"^[A-Za-z][A-Za-z0-9_]*$"
_LONGEST_NAME = 60


def _name(written: str) -> str:
    got = f'"{written}"' if len(written) <= _LONGEST_NAME else f'"{written[:20]}..."'
    if len(written) > _LONGEST_NAME:
        told = {"got": got, "hint": f"use at most {_LONGEST_NAME} characters; a title may be longer"}
        raise PydanticCustomError("name", "{got} is too long for a name", told)
    if not re.fullmatch(_NAME, written):
        hint = "use letters, digits and underscores, a letter first; a title may be anything"
        raise PydanticCustomError("name", "{got} cannot be a name", {"got": got, "hint": hint})
    return written


Name = Annotated[
    str,
    AfterValidator(_name),
    WithJsonSchema({"type": "string", "pattern": _NAME, "maxLength": _LONGEST_NAME}),
]
"""The word by which paths call a thing: letters, digits and underscores, a letter first."""

Factor = Annotated[float, Field(ge=0, le=10)]
"""A multiplier; 1 changes nothing, 0 switches off."""

Share = Annotated[float, Field(ge=0, le=1)]
"""A part of a whole, from 0 to 1."""

Title = Annotated[Text, Field(min_length=1, max_length=200)]
"""A name for people."""

Month = Annotated[int, Field(ge=1, le=12)]


class StretchPart(Part):
    """A piece of the line with one kind of ground, over [from, to)."""

    from_: Length = Field(alias="from")
    """Chainage at which the stretch begins."""
    to: Length
    """Chainage at which it ends."""
    terrain: Name
    """Kind of ground; `travel.terrain` may give it a speed factor."""

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.to <= self.from_:
            raise Faults(
                [
                    (
                        ("to",),
                        f"the stretch ends at {spoken(self.to, 'length')} "
                        f"but begins at {spoken(self.from_, 'length')}",
                        "chainage rises: write the smaller number under `from`",
                    )
                ]
            )
        return self


class LinePart(Part):
    """The ceasefire line: a map file, or a length. Chainage runs from 0 at its northern or western end."""

    length: PositiveLength | None = None
    """Length of a straight line that has no map. Give this or `file`."""
    file: str | None = None
    """GeoJSON, GeoPackage or other vector file with the line, relative to this scenario file. Give this or
    `length`.
    """
    layer: str | None = None
    """Layer to read from a file that has several."""
    crs: str | None = None
    """Coordinate reference system of a file that does not name one, such as EPSG:32637."""
    latitude: Annotated[float, Field(ge=-90, le=90)] = 48.7
    """Latitude in degrees for the length of nights, used where there is no map (default: middle of the
    800-mile line).
    """
    zone_width: PositiveLength = 20.0
    """Full width of the buffer zone, for the record: nothing is computed from it (records range from 4 to 40
    km).
    """
    cell: Annotated[float, Quantity("length", above=0, at_most="10 km")] = 1.0
    """Resolution: fields along the line are arrays over cells of this length."""
    stretches: tuple[StretchPart, ...] = ()
    """Kinds of ground along a line given by `length`; a map file carries its own."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        faults: list[Fault] = []
        if (self.length is None) == (self.file is None):
            said = "neither is given" if self.length is None else "both are given"
            faults.append(
                (
                    (),
                    f"a line needs either length or file, and {said}",
                    "write `length: 800 mi` or `file: line.geojson`",
                )
            )
        if self.file is None and (self.layer or self.crs):
            faults.append(
                (
                    ("layer" if self.layer else "crs",),
                    "only a line that comes from a file has this",
                    "give `file`, or leave it out",
                )
            )
        if self.file is not None and self.stretches:
            faults.append((("stretches",), "a line from a file carries its own stretches", "leave this out"))
        if faults:
            raise Faults(faults)
        return self


class SectorPart(Part):
    """A stretch of line under one headquarters, over [from, to). Sectors follow one another without gaps."""

    title: Title | None = None
    """Name for people, used in reports."""
    from_: Length = Field(alias="from")
    """Chainage at which the sector begins."""
    to: Length | None = None
    """Chainage at which it ends; left out, it reaches to the next sector or to the end of the line."""


class BasePart(Part):
    """A camp from which response teams set out: by `chainage` and `depth`, or by `lon` and `lat`."""

    title: Title | None = None
    """Name for people, used in reports."""
    chainage: Length | None = None
    """Where along the line the base stands."""
    depth: Length = 20.0
    """How far behind the line it stands (default: a third of the distance between towns of the candidate
    list).
    """
    lon: Annotated[float, Field(ge=-180, le=180)] | None = None
    """Longitude in degrees (WGS 84)."""
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None
    """Latitude in degrees (WGS 84)."""
    sector: Name | None = None
    """Sector whose teams it holds; left out, the sector of the nearest point of the line."""

    @model_validator(mode="after")
    def _one_position(self) -> Self:
        on_line, on_map = self.chainage is not None, self.lon is not None or self.lat is not None
        if on_line == on_map:
            said = "both are given" if on_line else "neither is given"
            raise Faults(
                [
                    (
                        (),
                        f"a base needs either chainage or lon and lat, and {said}",
                        "write `chainage: 120 km` or `lon: 35.1` and `lat: 48.5`",
                    )
                ]
            )
        if on_map and (self.lon is None or self.lat is None):
            missing = "lat" if self.lat is None else "lon"
            raise Faults([((), "a base on the map needs both lon and lat", f"add `{missing}`")])
        return self


class BaseLayoutPart(Part):
    """Where bases stand when the scenario names none: evenly spaced within each sector."""

    every: PositiveLength = 60.0
    """Largest distance between neighbouring bases along the line (default: the spacing of candidate towns).
    """
    depth: Length = 20.0
    """Distance behind the line."""


class RoadsPart(Part):
    """A road graph in two CSV tables."""

    edges: str
    """CSV with the columns from, to, road_km, free_speed_kmh."""
    nodes: str
    """CSV with the columns name, lon, lat."""


class TravelPart(Part):
    """How fast teams move."""

    roads: RoadsPart | None = None
    """Road graph; left out, distance is straight x detour."""
    road_speed: PositiveSpeed = 50.0
    """Highest convoy speed on roads (planning range 40 to 60 km/h)."""
    off_road_speed: PositiveSpeed = 20.0
    """Speed between the last road and the place, and across country; used with `roads` only."""
    detour: Annotated[float, Field(ge=1, le=5)] = 1.25
    """Way travelled over straight distance where no road graph says better."""
    night_factor: Annotated[float, Field(gt=0, le=1)] = 0.7
    """Speed at night over speed by day."""
    terrain: dict[Name, Factor] = {}
    """Speed factor off road by kind of ground; 1 where nothing is said, 0 for ground that cannot be crossed.
    """


class SeasonPart(Part):
    """Months in which movement is slower."""

    months: tuple[Month, ...] = Field(min_length=1)
    """Calendar months, 1 to 12."""
    road_factor: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Speed on roads over its usual value."""
    off_road_factor: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Speed off road over its usual value; used with `travel.roads` only."""
