"""Opening what estimates the way, as the settings say."""

from __future__ import annotations

from sitematch.config import Settings
from sitematch.roads.routers import Router, RouterKind
from sitematch.roads.tiles import LandTiles
from sitematch.services.journey.estimating import ModelEstimator, TravelEstimator
from sitematch.services.journey.routed import RoutedEstimator


def open_estimator(settings: Settings) -> TravelEstimator | None:
    """Open what estimates the way; None if the file of land and people is not there.

    Raises
    ------
    NotReady
        If the file is there and is not of this version.
    InvalidInput
        If a router is set and its address cannot be used.
    """
    path = settings.roads_path
    if path is None or not path.is_file():
        return None
    model = ModelEstimator(LandTiles(path))
    if not settings.router:
        return model
    kind = RouterKind(settings.router)
    return RoutedEstimator(Router(kind, settings.router_url, allow_public=settings.router_to_public), model)
