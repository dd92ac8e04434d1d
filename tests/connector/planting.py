"""A small document that keeps every rule, in which tests plant one fault each."""

import copy
from collections.abc import Callable
from typing import Any

type Json = dict[str, Any]
type Fault = Callable[[Json], object]

_TEXT = {"type": "string", "x-ms-summary": "Name", "description": "What people call it."}

_SOUND: Json = {
    "swagger": "2.0",
    "info": {"title": "Parcels", "description": "Finds parcels that got lost on their way.", "version": "1.0.0"},
    "host": "parcels.example.com",
    "basePath": "/api",
    "schemes": ["https"],
    "consumes": ["application/json"],
    "produces": ["application/json"],
    "paths": {
        "/parcels/{parcel_id}": {
            "get": {
                "operationId": "GetParcel",
                "summary": "Get a parcel",
                "description": "Gives one parcel with where it is.",
                "parameters": [
                    {
                        "name": "parcel_id",
                        "in": "path",
                        "required": True,
                        "type": "string",
                        "x-ms-summary": "Parcel",
                        "description": "Id of a parcel.",
                        "x-ms-url-encoding": "single",
                        "x-ms-dynamic-values": {
                            "operationId": "ListParcels",
                            "value-collection": "parcels",
                            "value-path": "name",
                            "value-title": "name",
                        },
                    }
                ],
                "responses": {"200": {"description": "A parcel.", "schema": {"$ref": "#/definitions/Parcel"}}},
            }
        },
        "/parcels": {
            "get": {
                "operationId": "ListParcels",
                "summary": "List parcels",
                "description": "Gives every parcel that is on its way.",
                "parameters": [],
                "responses": {"200": {"description": "Parcels.", "schema": {"$ref": "#/definitions/Parcels"}}},
            },
            "post": {
                "operationId": "AddParcel",
                "summary": "Add a parcel",
                "description": "Takes up one more parcel.",
                "parameters": [
                    {"name": "body", "in": "body", "required": True, "schema": {"$ref": "#/definitions/Parcel"}}
                ],
                "responses": {"201": {"description": "Added.", "schema": {"$ref": "#/definitions/Parcel"}}},
            },
        },
        "/hooks": {
            "x-ms-notification-content": {
                "description": "A parcel that is lost.",
                "schema": {"$ref": "#/definitions/Parcel"},
            },
            "post": {
                "operationId": "WhenAParcelIsLost",
                "summary": "When a parcel is lost",
                "description": "Starts a flow when a parcel is lost.",
                "x-ms-trigger": "single",
                "parameters": [
                    {"name": "body", "in": "body", "required": True, "schema": {"$ref": "#/definitions/Hook"}}
                ],
                "responses": {
                    "201": {
                        "description": "Subscribed.",
                        "headers": {"Location": {"type": "string", "description": "What ends it."}},
                    }
                },
            },
        },
        "/hooks/{hook_id}": {
            "delete": {
                "operationId": "EndHook",
                "summary": "End a hook",
                "description": "Ends a subscription for good.",
                "x-ms-visibility": "internal",
                "parameters": [
                    {
                        "name": "hook_id",
                        "in": "path",
                        "required": True,
                        "type": "string",
                        "x-ms-summary": "Hook",
                        "description": "Id of a subscription.",
                        "x-ms-url-encoding": "single",
                    }
                ],
                "responses": {"204": {"description": "Ended."}},
            }
        },
    },
    "definitions": {
        "Parcel": {"type": "object", "required": ["name"], "properties": {"name": _TEXT}},
        "Parcels": {
            "type": "object",
            "properties": {
                "parcels": {
                    "type": "array",
                    "items": {"$ref": "#/definitions/Parcel"},
                    "x-ms-summary": "Parcels",
                    "description": "All of them.",
                }
            },
        },
        "Hook": {
            "type": "object",
            "required": ["url"],
            "properties": {
                "url": {
                    "type": "string",
                    "x-ms-summary": "Address",
                    "description": "Whom to tell.",
                    "x-ms-notification-url": True,
                    "x-ms-visibility": "internal",
                }
            },
        },
    },
    "securityDefinitions": {"api_key": {"type": "apiKey", "in": "header", "name": "x-key"}},
    "security": [{"api_key": []}],
    "x-ms-connector-metadata": [
        {"propertyName": "Website", "propertyValue": "https://parcels.example.com"},
        {"propertyName": "Privacy policy", "propertyValue": "https://parcels.example.com/privacy"},
        {"propertyName": "Categories", "propertyValue": "Productivity"},
    ],
}


def sound() -> Json:
    """The document, nobody else's."""
    return copy.deepcopy(_SOUND)


def at(tree: Any, *path: str | int) -> Any:
    """What stands there."""
    for part in path:
        tree = tree[part]
    return tree


def put(*path: str | int, value: object) -> Fault:
    """A fault: something else stands there."""

    def plant(document: Json) -> None:
        at(document, *path[:-1])[path[-1]] = value

    return plant


def drop(*path: str | int) -> Fault:
    """A fault: nothing stands there."""
    return lambda document: at(document, *path[:-1]).pop(path[-1])
