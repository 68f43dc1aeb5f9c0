// The sample subject "Pomlo": a teal vinyl creature with one orange horn, a yellow belly and pink ears.
// Big simple shapes in unusual colours, so that it is still recognised on a picture of 64 pixels.
import * as THREE from 'three';

const colors = {
  teal: 0x0fa39b,
  orange: 0xff6a00,
  yellow: 0xffd21c,
  pink: 0xff5f9e,
  blush: 0xffa3c4,
  white: 0xfdfbf4,
  black: 0x14121a,
};

/** Builds the toy standing on y = 0, looking along +z, about 3 units high and 2.5 wide. */
export function buildToy() {
  const toy = new THREE.Group();
  const put = (parent, mesh, position, scale = [1, 1, 1], rotation = [0, 0, 0]) => {
    mesh.position.set(...position);
    mesh.scale.set(...scale);
    mesh.rotation.set(...rotation);
    mesh.castShadow = true;
    mesh.receiveShadow = true;
    parent.add(mesh);
    return mesh;
  };
  const ball = (color, shine) => new THREE.Mesh(new THREE.SphereGeometry(1, 64, 48), vinyl(color, shine));

  put(toy, new THREE.Mesh(bodyGeometry(), vinyl(colors.teal)), [0, 0.12, 0]);
  put(toy, ball(colors.yellow), [0, 0.8, 0.44], [0.76, 0.74, 0.73]);

  for (const side of [-1, 1]) {
    put(toy, ball(colors.orange), [side * 0.46, 0.15, 0.44], [0.37, 0.18, 0.48]);
    put(toy, ball(colors.teal), [side * 1.0, 0.98, 0.3], [0.22, 0.4, 0.22], [-0.35, 0, side * 0.55]);
    const ear = put(
      toy,
      new THREE.Group(),
      [side * 0.84, 1.98, -0.02],
      [1, 1, 1],
      [0, side * 0.3, side * -0.75],
    );
    put(ear, ball(colors.pink), [0, 0.22, 0], [0.31, 0.44, 0.15]);
    put(ear, ball(colors.blush), [0, 0.22, 0.075], [0.19, 0.31, 0.1]);
    const eye = put(toy, new THREE.Group(), [side * 0.31, 1.69, 0.62], [1, 1, 1], [-0.12, side * 0.3, 0]);
    put(eye, ball(colors.white, 0.12), [0, 0, 0], [0.235, 0.26, 0.17]);
    put(eye, ball(colors.black, 0.3), [side * -0.03, 0.0, 0.105], [0.125, 0.15, 0.085]);
    put(eye, ball(colors.white, 0.3), [side * -0.03 + 0.045, 0.06, 0.18], [0.036, 0.036, 0.02]);
  }

  put(toy, new THREE.Mesh(hornGeometry(), vinyl(colors.orange)), [0, 1.95, 0.06], [1, 1, 1], [0.12, 0, 0]);
  const smile = new THREE.Mesh(new THREE.TorusGeometry(0.17, 0.036, 16, 40, Math.PI), vinyl(colors.black));
  put(toy, smile, [0, 1.53, 0.9], [1, 0.7, 1], [-0.3, 0, Math.PI]);

  put(toy, ball(colors.yellow), [0, 0.62, -1.0], [0.27, 0.27, 0.27]);
  for (const [angle, height, size] of [
    [Math.PI, 1.62, 0.25],
    [Math.PI - 0.62, 1.16, 0.2],
    [Math.PI + 0.62, 1.16, 0.2],
  ]) {
    const radius = bodyRadius(height - 0.12) - 0.015;
    const spot = put(
      toy,
      ball(colors.yellow),
      [Math.sin(angle) * radius, height, Math.cos(angle) * radius],
      [size, size, 0.05],
    );
    spot.rotation.set(0, angle, 0);
    spot.rotateX(height > 1.4 ? -0.5 : -0.1);
  }
  return toy;
}

/** Glossy toy vinyl under a thin clear coat. Its front casts the shadow, so that no light slips in under the feet. */
function vinyl(color, roughness = 0.42) {
  return new THREE.MeshPhysicalMaterial({
    color,
    roughness,
    clearcoat: 0.55,
    clearcoatRoughness: 0.22,
    shadowSide: THREE.FrontSide,
  });
}

const bodyProfile = new THREE.SplineCurve(
  [
    [0, 0],
    [0.55, 0.02],
    [0.92, 0.22],
    [1.06, 0.62],
    [1.0, 1.05],
    [0.86, 1.45],
    [0.68, 1.8],
    [0.38, 2.02],
    [0, 2.1],
  ].map(([x, y]) => new THREE.Vector2(x, y)),
);

function bodyGeometry() {
  const points = bodyProfile.getPoints(96).map((point) => new THREE.Vector2(Math.max(0, point.x), point.y));
  return new THREE.LatheGeometry(points, 96);
}

/** Radius of the body `y` above its own foot. */
function bodyRadius(y) {
  const points = bodyProfile.getPoints(400);
  return points.reduce((best, point) => (Math.abs(point.y - y) < Math.abs(best.y - y) ? point : best)).x;
}

/** One fat horn with a round tip. */
function hornGeometry() {
  const curve = new THREE.SplineCurve(
    [
      [0.47, 0],
      [0.4, 0.22],
      [0.27, 0.58],
      [0.15, 0.9],
      [0.08, 1.02],
      [0, 1.05],
    ].map(([x, y]) => new THREE.Vector2(x, y)),
  );
  return new THREE.LatheGeometry(
    curve.getPoints(48).map((point) => new THREE.Vector2(Math.max(0, point.x), point.y)),
    64,
  );
}
