// The console, made more comfortable: instants in the reader's zone, forms that are sent once, numbers that stay current.
// Every page works without any of it.

import { offerCopy } from "../console/copy";
import { offerFilter } from "../console/filter";
import { offerKeys } from "../console/keys";
import { followCapacity } from "../console/live";
import { offerMap } from "../console/map-panel";
import { sendOnce } from "../console/once";
import { tellTime } from "../console/time";

tellTime(document);
setInterval(() => tellTime(document), 30_000);
sendOnce(document);
offerCopy(document);

const live = document.querySelector<HTMLElement>("[data-live]");
if (live) followCapacity(live);

const map = document.getElementById("capacity-map");
if (map) offerMap(map);

const keys = document.querySelector<HTMLDialogElement>("dialog[data-keys]");
if (keys) offerKeys(keys);

for (const field of document.querySelectorAll<HTMLElement>("[data-filter]")) offerFilter(field);
