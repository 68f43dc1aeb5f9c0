// Six procedural places for the toy to stand in. Each returns a group with the floor at y = 0.
import * as THREE from 'three';
import { createRandom } from './random.mjs';

/** Places by name; each call builds its own meshes and textures. */
export const backdrops = {
  'wooden-table': () =>
    room(
      matte({ map: texture(1024, drawPlanks, [1.6, 1.6]), roughness: 0.5 }),
      matte({ color: 0xe9dcc4 }),
      9,
    ),
  lawn: () => {
    const group = room(
      matte({
        map: texture(512, (c, s, r) => drawSpeckles(c, s, r, '#3f7d22', ['#2f6a18', '#579a2d']), [8, 8]),
      }),
      matte({ map: texture(512, drawHedge) }),
      12,
    );
    group.add(grassBlades());
    return group;
  },
  sky: () => {
    const group = new THREE.Group();
    const ledge = new THREE.Mesh(new THREE.CylinderGeometry(5.2, 5.2, 0.5, 96), matte({ color: 0xf2efe8 }));
    ledge.position.y = -0.25;
    ledge.receiveShadow = true;
    group.add(ledge, dome(drawSky));
    return group;
  },
  'brick-wall': () =>
    room(
      matte({
        map: texture(512, (c, s, r) => drawSpeckles(c, s, r, '#9b9890', ['#8b887f', '#aeaba2']), [4, 4]),
      }),
      matte({ map: texture(1024, drawBricks, [4, 2.4]), roughness: 0.95 }),
      3.4,
    ),
  sand: () => {
    const group = new THREE.Group();
    const material = matte({
      map: texture(512, (c, s, r) => drawSpeckles(c, s, r, '#dcc08a', ['#cdae76', '#ecd7a6']), [10, 10]),
    });
    group.add(
      terrain(material, (x, z) => 0.05 * (Math.sin(z * 3.1 + 0.7 * Math.sin(x * 0.9)) - 1) + distance(x, z)),
    );
    group.add(dome(drawSeaside));
    return group;
  },
  'purple-cloth': () => {
    const group = new THREE.Group();
    const material = new THREE.MeshPhysicalMaterial({
      color: 0x6a2fb0,
      roughness: 0.85,
      sheen: 1,
      sheenColor: new THREE.Color(0xb58cff),
      sheenRoughness: 0.5,
    });
    group.add(
      terrain(material, (x, z) => {
        const rise = Math.max(0, -z - 2.2);
        const folds = 0.13 * Math.sin(x * 2.6 + 0.9 * Math.sin(z * 1.3)) + 0.07 * Math.sin(x * 5.3 - z * 2.7);
        return 1.1 * rise * rise + folds * Math.min(1, Math.max(0, Math.hypot(x, z) - 0.8) / 1.2 + rise);
      }),
    );
    return group;
  },
};

function distance(x, z) {
  const far = Math.max(0, Math.hypot(x, z) - 2);
  return 0.02 * far * (1 + Math.sin(x * 0.7 + z * 0.4)) + 0.04;
}

function matte(parameters) {
  return new THREE.MeshStandardMaterial({ roughness: 0.9, ...parameters });
}

/** A floor and a wall `depth` behind the toy. */
function room(floorMaterial, wallMaterial, depth) {
  const group = new THREE.Group();
  const floor = new THREE.Mesh(new THREE.PlaneGeometry(40, 40), floorMaterial);
  floor.rotation.x = -Math.PI / 2;
  if (floorMaterial.map) floorMaterial.map.repeat.multiplyScalar(40 / 10);
  const wall = new THREE.Mesh(new THREE.PlaneGeometry(24, 14), wallMaterial);
  wall.position.set(0, 7, -depth);
  for (const mesh of [floor, wall]) mesh.receiveShadow = true;
  group.add(floor, wall);
  return group;
}

/** A finely cut floor whose height is a function of x and z. */
function terrain(material, height) {
  const geometry = new THREE.PlaneGeometry(24, 24, 240, 240).rotateX(-Math.PI / 2);
  const position = geometry.attributes.position;
  for (let i = 0; i < position.count; i++) position.setY(i, height(position.getX(i), position.getZ(i)));
  geometry.computeVertexNormals();
  const mesh = new THREE.Mesh(geometry, material);
  mesh.receiveShadow = true;
  mesh.castShadow = true;
  return mesh;
}

/** A far half-cylinder that shows `draw` unlit, as the sky is. */
function dome(draw) {
  const material = new THREE.MeshBasicMaterial({ map: texture(1024, draw), side: THREE.BackSide });
  const mesh = new THREE.Mesh(new THREE.CylinderGeometry(30, 30, 44, 64, 1, true), material);
  mesh.rotation.y = Math.PI / 2;
  return mesh;
}

function grassBlades() {
  const random = createRandom(11);
  const blade = new THREE.ConeGeometry(0.035, 0.34, 4).translate(0, 0.17, 0);
  const count = 15000;
  const mesh = new THREE.InstancedMesh(blade, matte({ color: 0xffffff, roughness: 0.7 }), count);
  const dummy = new THREE.Object3D();
  const color = new THREE.Color();
  for (let i = 0; i < count; i++) {
    const radius = 7.5 * Math.sqrt(random());
    const angle = random() * 2 * Math.PI;
    const flat = radius < 1.05 ? 0.25 : 1;
    dummy.position.set(radius * Math.cos(angle), 0, radius * Math.sin(angle));
    dummy.rotation.set((random() - 0.5) * 0.9, random() * 6.3, (random() - 0.5) * 0.9);
    dummy.scale.set(1, (0.6 + random() * 0.7) * flat, 1);
    dummy.updateMatrix();
    mesh.setMatrixAt(i, dummy.matrix);
    mesh.setColorAt(i, color.setHSL(0.25 + random() * 0.05, 0.6, 0.2 + random() * 0.16));
  }
  mesh.castShadow = true;
  mesh.receiveShadow = true;
  return mesh;
}

/** Draws a square canvas texture that repeats; `draw(context, size, random)` paints it. */
function texture(size, draw, repeat = [1, 1]) {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = size;
  draw(canvas.getContext('2d'), size, createRandom(7));
  const map = new THREE.CanvasTexture(canvas);
  map.colorSpace = THREE.SRGBColorSpace;
  map.wrapS = map.wrapT = THREE.RepeatWrapping;
  map.repeat.set(...repeat);
  map.anisotropy = 8;
  return map;
}

function drawPlanks(context, size, random) {
  const planks = 4;
  const width = size / planks;
  for (let plank = 0; plank < planks; plank++) {
    const lightness = 40 + random() * 9;
    context.fillStyle = `hsl(28 48% ${lightness}%)`;
    context.fillRect(plank * width, 0, width, size);
    const phase = random() * 10;
    for (let line = 0; line < 46; line++) {
      const x = plank * width + random() * width;
      context.strokeStyle = `hsl(24 50% ${lightness - 14 + random() * 16}% / 0.35)`;
      context.lineWidth = 1 + random() * 3;
      context.beginPath();
      for (let y = 0; y <= size; y += 16) {
        const sway = 5 * Math.sin((2 * Math.PI * y) / size + phase);
        context.lineTo(Math.min((plank + 1) * width - 2, Math.max(plank * width + 2, x + sway)), y);
      }
      context.stroke();
    }
    context.fillStyle = 'rgb(50 26 8 / 0.75)';
    context.fillRect(plank * width - 2, 0, 4, size);
  }
}

function drawSpeckles(context, size, random, base, others) {
  context.fillStyle = base;
  context.fillRect(0, 0, size, size);
  for (let i = 0; i < 9000; i++) {
    context.fillStyle = others[i % others.length];
    context.globalAlpha = 0.3 + 0.5 * random();
    context.fillRect(random() * size, random() * size, 1 + random() * 3, 1 + random() * 3);
  }
  context.globalAlpha = 1;
}

function drawHedge(context, size, random) {
  fillGradient(context, size, ['#cfe3c0', '#8dbb6a', '#5c9440', '#3f7a2a']);
  context.globalAlpha = 0.25;
  for (let i = 0; i < 220; i++) {
    context.fillStyle = `hsl(${85 + random() * 35} 45% ${25 + random() * 45}%)`;
    context.beginPath();
    context.arc(random() * size, size * (0.25 + 0.75 * random()), 8 + random() * 26, 0, 7);
    context.fill();
  }
  context.globalAlpha = 1;
}

function drawSky(context, size) {
  fillGradient(context, size, ['#1a5fc4', '#3f8ee6', '#8cc4f5', '#d8ecfb', '#d8ecfb']);
}

function drawSeaside(context, size) {
  fillGradient(context, size, ['#9fd0ee', '#c4e4f3', '#e3f2f4']);
  context.fillStyle = '#5fb3c4';
  context.fillRect(0, size * 0.485, size, size);
}

function drawBricks(context, size, random) {
  context.fillStyle = '#b9aa9a';
  context.fillRect(0, 0, size, size);
  const rows = 8;
  const columns = 4;
  const gap = size / 90;
  for (let row = 0; row < rows; row++) {
    for (let column = -1; column < columns; column++) {
      const width = size / columns;
      const height = size / rows;
      const x = column * width + (row % 2) * (width / 2);
      context.fillStyle = `hsl(${8 + random() * 8} ${44 + random() * 10}% ${34 + random() * 11}%)`;
      context.fillRect(x + gap / 2, row * height + gap / 2, width - gap, height - gap);
    }
  }
  for (let i = 0; i < 12000; i++) {
    context.fillStyle = random() < 0.5 ? 'rgb(0 0 0 / 0.1)' : 'rgb(255 240 220 / 0.1)';
    context.fillRect(random() * size, random() * size, 2, 2);
  }
}

function fillGradient(context, size, stops) {
  const gradient = context.createLinearGradient(0, 0, 0, size);
  stops.forEach((color, i) => gradient.addColorStop(i / (stops.length - 1), color));
  context.fillStyle = gradient;
  context.fillRect(0, 0, size, size);
}
