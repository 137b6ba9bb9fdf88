// Coastlines, borders and states, read once and laid on Mercator's plane: 0 to 1 from west to east and north to south.

import { feature, mesh } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import countriesFile from "world-atlas/countries-50m.json";
import statesFile from "us-atlas/states-10m.json";

/** A line on the plane, x and y in turn, with the box around it. */
export interface Line {
  points: Float64Array;
  west: number;
  east: number;
  north: number;
  south: number;
}

export interface Atlas {
  land: Line[];
  coasts: Line[];
  borders: Line[];
  states: Line[];
}

const MOST_NORTH = 85.0511287798066; // where Mercator's plane is as high as wide

export function x(longitude: number): number {
  return (longitude + 180) / 360;
}

export function y(latitude: number): number {
  const bounded = (Math.max(-MOST_NORTH, Math.min(MOST_NORTH, latitude)) * Math.PI) / 180;
  return 0.5 - Math.log(Math.tan(Math.PI / 4 + bounded / 2)) / (2 * Math.PI);
}

export async function openAtlas(): Promise<Atlas> {
  const [world, nation] = await Promise.all([read(countriesFile as unknown as string), read(statesFile as unknown as string)]);
  const countries = world.objects["countries"] as GeometryCollection;
  const states = nation.objects["states"] as GeometryCollection;
  const land = feature(world, world.objects["land"]!);
  const shapes = "features" in land ? land.features : [land];
  return {
    land: shapes.flatMap(({ geometry }) =>
      geometry.type === "MultiPolygon"
        ? geometry.coordinates.flat().flatMap(unbroken).map(line)
        : geometry.type === "Polygon"
          ? geometry.coordinates.flatMap(unbroken).map(line)
          : [],
    ),
    coasts: mesh(world, countries, (a, b) => a === b).coordinates.flatMap(withoutSeam).map(line),
    borders: mesh(world, countries, (a, b) => a !== b).coordinates.flatMap(withoutSeam).map(line),
    states: mesh(nation, states, (a, b) => a !== b).coordinates.map(line),
  };
}

async function read(file: string): Promise<Topology> {
  const answer = await fetch(new URL(file, import.meta.url));
  if (!answer.ok) throw new Error(`${file}: ${answer.status}`);
  return (await answer.json()) as Topology;
}

/** Natural Earth closes land along the antimeridian and the south pole, where no coast is, and steps across the first. */
function withoutSeam(points: number[][]): number[][][] {
  const parts: number[][][] = [[]];
  const onSeam = (point: number[]) => Math.abs(point[0]!) > 179.99 || point[1]! < -89.9;
  points.forEach((point, i) => {
    const before = points[i - 1];
    if (before && ((onSeam(before) && onSeam(point)) || isStep(before, point))) parts.push([]);
    parts[parts.length - 1]!.push(point);
  });
  return parts.filter((part) => part.length > 1);
}

/** Whether two neighbours lie on either side of the antimeridian; along the pole the line runs the whole way round. */
function isStep(before: number[], point: number[]): boolean {
  return Math.abs(point[0]! - before[0]!) > 180 && (before[1]! > -89.9 || point[1]! > -89.9);
}

/** Land across the antimeridian is laid out whole, beyond one end of the plane and again beyond the other. */
function unbroken(ring: number[][]): number[][][] {
  let turn = 0;
  const whole = ring.map((point, i) => {
    const before = ring[i - 1];
    if (before && isStep(before, point)) turn += point[0]! < before[0]! ? 360 : -360;
    return [point[0]! + turn, point[1]!];
  });
  const shifted = (by: number) => whole.map(([longitude, latitude]) => [longitude! + by, latitude!]);
  const copies = [whole];
  if (whole.some(([longitude]) => longitude! > 180)) copies.push(shifted(-360));
  if (whole.some(([longitude]) => longitude! < -180)) copies.push(shifted(360));
  return copies;
}

function line(points: number[][]): Line {
  const made: Line = { points: new Float64Array(points.length * 2), west: 1, east: 0, north: 1, south: 0 };
  points.forEach(([longitude, latitude], i) => {
    const [across, down] = [x(longitude!), y(latitude!)];
    made.points[2 * i] = across;
    made.points[2 * i + 1] = down;
    made.west = Math.min(made.west, across);
    made.east = Math.max(made.east, across);
    made.north = Math.min(made.north, down);
    made.south = Math.max(made.south, down);
  });
  return made;
}
